import { Complaint } from "../scenario.ts";
import { type JsonObject, objectsIn } from "./json.ts";
import type { OutputItem } from "./turn.ts";

/** A model uses the tools it is offered, and no others. */
export interface Tools {
  /** By a shell: `exec_command`, or JavaScript around it. */
  readonly run: (command: string) => OutputItem;
  /** By `apply_patch` where it is offered, from JavaScript too, else by a shell. Writes over what is there. */
  readonly write: (path: string, text: string) => OutputItem;
}

/**
 * The tools of a request, as calls of them.
 *
 * Three shapes are known: functions and nothing else; functions with the free-form tool
 * `apply_patch`; and a single free-form tool `exec` that takes JavaScript, told in the first item of
 * the input instead of in `tools`.
 *
 * @param call ordinal of the call in its conversation: what its id is made from
 * @throws Complaint when there is no way to run a command
 */
export function toolsOf(body: JsonObject, call: number): Tools {
  const tools = [...flat(body.tools), ...objectsIn(body.input).flatMap(additional)];
  const offered = new Set(tools.map(({ type, name }) => `${type} ${name}`));
  const id = `call_${call}`;
  const run = runTool(offered, id);
  if (offered.has("custom apply_patch")) {
    return { run, write: (path, text) => custom(id, "apply_patch", patch(path, text)) };
  }
  // What JavaScript may call is told in words.
  const javaScript = tools.find(({ name }) => name === "exec")?.description;
  return {
    run,
    write: String(javaScript).includes("`apply_patch`")
      ? (path, text) =>
          custom(
            id,
            "exec",
            `text(await tools.apply_patch(${JSON.stringify(patch(path, text))}));\n`,
          )
      : (path, text) => run(heredoc(path, text)),
  };
}

function runTool(offered: ReadonlySet<string>, id: string): Tools["run"] {
  if (offered.has("function exec_command")) {
    return (cmd) => ({
      type: "function_call",
      id: `fc_${id}`,
      call_id: id,
      name: "exec_command",
      arguments: JSON.stringify({ cmd, yield_time_ms: 10_000 }),
      status: "completed",
    });
  }
  if (offered.has("custom exec")) {
    return (cmd) => custom(id, "exec", scriptOf(cmd));
  }
  throw new Complaint(`no tool that runs a command is offered: ${[...offered].join(", ")}`);
}

function custom(id: string, name: string, input: string): OutputItem {
  return {
    type: "custom_tool_call",
    id: `ctc_${id}`,
    call_id: id,
    name,
    input,
    status: "completed",
  };
}

function scriptOf(cmd: string): string {
  return `const done = await tools.exec_command(${JSON.stringify({ cmd, yield_time_ms: 10_000 })});\ntext(done.output);\n`;
}

function patch(path: string, text: string): string {
  const lines = withoutLastEnd(text).split("\n");
  const added = lines.map((line) => `+${line}`).join("\n");
  return `*** Begin Patch\n*** Add File: ${path}\n${added}\n*** End Patch\n`;
}

function heredoc(path: string, text: string): string {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  return `mkdir -p ${quoted(folder)} && cat > ${quoted(path)} <<'END_OF_DOCUMENT'\n${withoutLastEnd(text)}\nEND_OF_DOCUMENT`;
}

/** One word for the shell, whatever it holds. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function withoutLastEnd(text: string): string {
  return text.replace(/\n$/, "");
}

/** Tools by themselves; those of a namespace beside the others. */
function flat(tools: unknown): readonly JsonObject[] {
  return objectsIn(tools).flatMap((tool) => (tool.type === "namespace" ? flat(tool.tools) : tool));
}

function additional(item: JsonObject): readonly JsonObject[] {
  return item.type === "additional_tools" ? flat(item.tools) : [];
}
