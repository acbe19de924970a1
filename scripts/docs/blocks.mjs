import { CHECKS, dispositionOf, ERROR_CODES, EXIT_CODES, METRICS } from "@speckit/orchestrator";
import * as contract from "@speckit/orchestrator/contract";
import { SETTINGS } from "@speckit/orchestrator/node";
import { engineTopologyOf, topologyOf } from "@speckit/orchestrator/rabbitmq";
import { code, table } from "./markdown.mjs";
import { schemaFields } from "./schema-fields.mjs";

const always = topologyOf("speckit");
// Declared by each worker whose agents run in containers, for the id of its engine.
const ofEngine = engineTopologyOf("speckit", "ENGINE");
const topology = {
  exchanges: always.exchanges,
  queues: [...always.queues, ...ofEngine.queues],
  bindings: [...always.bindings, ...ofEngine.bindings],
};

const tagValues = (tag, values) =>
  tag === "code" ? "one of [errors](errors.md)" : values.map(code).join(", ");

/** What can stand between `<!-- generated:NAME -->` and `<!-- /generated -->` in a page of docs/. */
export const BLOCKS = {
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
  checks: () =>
    table(
      ["check", "what is looked at", "what to do where it is not fine"],
      Object.entries(CHECKS).map(([name, { meaning, remedy }]) => [code(name), meaning, remedy]),
    ),
  metrics: () =>
    table(
      ["metric", "kind", "tags", "meaning"],
      Object.entries(METRICS).map(([name, { kind, meaning, tags }]) => [
        code(name),
        kind,
        Object.entries(tags)
          .map(([tag, values]) => `${code(tag)}: ${tagValues(tag, values)}`)
          .join("; "),
        meaning,
      ]),
    ),
  exchanges: () =>
    table(
      ["exchange", "type", "purpose", "queues and keys"],
      topology.exchanges.map(({ name, type, purpose }) => [
        code(name),
        type,
        purpose,
        topology.bindings
          .filter((binding) => binding.exchange === name)
          .map(({ key, queue }) => (key === "" ? code(queue) : `${code(key)} → ${code(queue)}`))
          .join(", "),
      ]),
    ),
  queues: () =>
    table(
      ["queue", "purpose", "arguments"],
      topology.queues.map((queue) => [
        code(queue.name),
        queue.purpose,
        Object.entries(queue.arguments)
          .map(([name, value]) => code(`${name}: ${value}`))
          .join(" "),
      ]),
    ),
  events: () =>
    table(
      ["routing key", "when", "data"],
      Object.entries(contract.EVENT_DATA).map(([name, schema]) => [
        code(name),
        contract.EVENT_TYPES[name] ?? "A request or command was refused at the door.",
        Object.keys(schema.shape).map(code).join(", "),
      ]),
    ),
  request: () => schemaFields(contract.runRequestSchema),
  commands: () =>
    table(
      ["command", "fields", "meaning"],
      contract.runCommandSchema.options.map((option) => [
        code(option.shape.command.value),
        Object.entries(option.shape)
          .filter(([name]) => !(name in contract.runCommandSchema.options[0].shape))
          .map(([name, field]) => `${code(name)}: ${field.description}`)
          .join("; "),
        option.description,
      ]),
    ),
  "command-result": () => schemaFields(contract.commandResultSchema),
  result: () => schemaFields(contract.runResultSchema),
  event: () => schemaFields(contract.cloudEventSchema),
};
