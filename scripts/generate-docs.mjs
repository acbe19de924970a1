// Writes the tables of docs/ that come from code, between `<!-- generated:NAME -->` and
// `<!-- /generated -->`. With --check it only compares, and exits 1 where a page is behind.
// Run under Node 24: it imports the TypeScript sources.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dispositionOf, ERROR_CODES, EXIT_CODES } from "@speckit/orchestrator";
import * as contract from "@speckit/orchestrator/contract";
import { SETTINGS } from "@speckit/orchestrator/node";
import { topologyOf } from "@speckit/orchestrator/rabbitmq";
import { z } from "zod";
import { root } from "./checkout.mjs";

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");

const code = (text) => `\`${text}\``;

const BLOCKS = {
  settings: () =>
    table(
      ["variable", "default", "meaning"],
      SETTINGS.map(({ name, default: value, meaning, secret }) => [
        secret ? `${code(name)}, ${code(`${name}_FILE`)}` : code(name),
        value ?? "",
        secret ? `${meaning} Secret.` : meaning,
      ]),
    ),
  errors: () =>
    table(
      ["code", "class", "what follows", "when", "what to do"],
      Object.entries(ERROR_CODES)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, facts]) => [
          code(name),
          facts.class,
          dispositionOf(facts.class),
          facts.meaning,
          facts.remedy,
        ]),
    ),
  "exit-codes": () =>
    table(
      ["exit code", "meaning"],
      Object.entries(EXIT_CODES).map(([number, meaning]) => [number, meaning]),
    ),
  exchanges: () =>
    table(
      ["exchange", "type", "purpose", "queues and keys"],
      topologyOf("speckit").exchanges.map(({ name, type, purpose }) => [
        code(name),
        type,
        purpose,
        topologyOf("speckit")
          .bindings.filter((binding) => binding.exchange === name)
          .map(({ key, queue }) => (key === "" ? code(queue) : `${code(key)} → ${code(queue)}`))
          .join(", "),
      ]),
    ),
  queues: () =>
    table(
      ["queue", "purpose", "arguments"],
      topologyOf("speckit").queues.map((queue) => [
        code(queue.name),
        queue.purpose,
        Object.entries(queue.arguments)
          .map(([name, value]) => code(`${name}: ${value}`))
          .join(" "),
      ]),
    ),
  events: () =>
    table(
      ["routing key", "when"],
      [
        ...Object.entries(contract.EVENT_TYPES),
        [contract.REJECTED_EVENT, "A request was refused; there is no run."],
      ].map(([name, when]) => [code(name), when]),
    ),
  request: () => fields(contract.runRequestSchema),
  result: () => fields(contract.runResultSchema),
  event: () => fields(contract.cloudEventSchema),
};

function fields(schema) {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const required = new Set(json.required ?? []);
  return table(
    ["field", "type", "", "meaning"],
    Object.entries(json.properties).map(([name, property]) => [
      code(name),
      typeOf(property),
      required.has(name) ? "required" : "",
      property.description ?? "",
    ]),
  );
}

function typeOf(property) {
  if (property.const !== undefined) return code(JSON.stringify(property.const));
  if (property.enum !== undefined) return property.enum.map((item) => code(item)).join(", ");
  if (property.anyOf !== undefined) return property.anyOf.map(typeOf).join(" or ");
  if (property.type === "array") return `list of ${typeOf(property.items)}`;
  if (property.type === "object" && property.properties !== undefined) {
    const names = Object.entries(property.properties).map(
      ([name, inner]) => `${code(name)} ${typeOf(inner)}`,
    );
    return `object: ${names.join(", ")}`;
  }
  return property.format ?? property.type ?? "any";
}

const folder = join(root, "docs");
const pages = (await readdir(folder)).filter((name) => name.endsWith(".md"));
const used = new Set();
const behind = [];
for (const page of pages) {
  const path = join(folder, page);
  const before = await readFile(path, "utf8");
  const after = before.replace(
    /(<!-- generated:([a-z-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_all, begin, name, end) => {
      if (BLOCKS[name] === undefined) throw new Error(`docs/${page}: no generated block ${name}`);
      used.add(name);
      return `${begin}\n${BLOCKS[name]()}\n\n${end}`;
    },
  );
  if (after !== before) {
    behind.push(`docs/${page}`);
    if (!process.argv.includes("--check")) await writeFile(path, after);
  }
}
const unused = Object.keys(BLOCKS).filter((name) => !used.has(name));
if (unused.length > 0) {
  process.stderr.write(`No page of docs/ has the generated block ${unused.join(", ")}\n`);
  process.exitCode = 1;
}
if (behind.length > 0 && process.argv.includes("--check")) {
  process.stderr.write(`${behind.join(", ")}: behind the code. Run: pnpm docs:generate\n`);
  process.exitCode = 1;
}
