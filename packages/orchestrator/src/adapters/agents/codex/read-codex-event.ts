import { relative } from "node:path";
import { z } from "zod";
import type { AgentEvent } from "../../../ports/agent-backend.ts";

/** What one line of `codex exec --json` says, as far as anybody needs it. */
export type CodexLine =
  | { readonly kind: "events"; readonly events: readonly AgentEvent[] }
  | { readonly kind: "thread"; readonly threadId: string }
  | { readonly kind: "turn_completed"; readonly events: readonly AgentEvent[] }
  | { readonly kind: "turn_failed"; readonly message: string };

const count = z.int().nonnegative().catch(0);
const itemSchema = z.looseObject({ type: z.string() });
const lineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("thread.started"), thread_id: z.string() }),
  z.object({ type: z.literal("item.completed"), item: itemSchema }),
  z.object({
    type: z.literal("turn.completed"),
    usage: z.object({
      input_tokens: count,
      cached_input_tokens: count,
      output_tokens: count,
    }),
  }),
  z.object({ type: z.literal("turn.failed"), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal("error"), message: z.string() }),
]);

const commandSchema = z.object({ command: z.string(), exit_code: z.int().nullable().catch(null) });
const changesSchema = z.object({
  changes: z.array(z.object({ path: z.string(), kind: z.string() })),
});
const textSchema = z.object({ text: z.string() });
const messageSchema = z.object({ message: z.string() });

const NOTHING: CodexLine = { kind: "events", events: [] };

/**
 * Reads one line. Lines of types not known here, and text that is no JSON, say nothing: the raw
 * output keeps them.
 *
 * @param workspace files are told relative to it
 */
export function readCodexLine(line: string, workspace: string): CodexLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return NOTHING;
  }
  const known = lineSchema.safeParse(parsed);
  if (!known.success) {
    return NOTHING;
  }
  const { data } = known;
  switch (data.type) {
    case "thread.started":
      return { kind: "thread", threadId: data.thread_id };
    case "item.completed":
      return { kind: "events", events: eventsOfItem(data.item, workspace) };
    case "turn.completed":
      return { kind: "turn_completed", events: [usageOf(data.usage)] };
    case "turn.failed":
      return { kind: "turn_failed", message: data.error.message };
    case "error":
      // Progress such as "Reconnecting... 2/5", or what `turn.failed` says again.
      return { kind: "events", events: [{ type: "warning", text: data.message }] };
  }
}

/**
 * Reads a line that was too long to be kept whole: a command's output is in the middle of it, what
 * it was and how it ended stand at its ends.
 */
export function readCutCodexLine(head: string, tail: string): CodexLine {
  const command =
    /^\{"type":"item\.completed","item":\{"id":"[^"]*","type":"command_execution","command":("(?:[^"\\]|\\.)*")/.exec(
      head,
    )?.[1];
  if (command === undefined) {
    return NOTHING;
  }
  const exitCode = /"exit_code":(-?\d+),"status":"[a-z_]*"\}\}\s*$/.exec(tail)?.[1];
  return {
    kind: "events",
    events: [toolEvent(String(JSON.parse(command)), exitCode === undefined ? null : +exitCode)],
  };
}

function eventsOfItem(item: z.infer<typeof itemSchema>, workspace: string): readonly AgentEvent[] {
  switch (item.type) {
    case "agent_message":
      return told(textSchema, item, ({ text }) => [{ type: "message", text }]);
    case "reasoning":
      return told(textSchema, item, ({ text }) => [{ type: "reasoning", text }]);
    case "command_execution":
      return told(commandSchema, item, (done) => [toolEvent(done.command, done.exit_code)]);
    case "file_change":
      return told(changesSchema, item, ({ changes }) =>
        changes.map(({ path, kind }) => ({
          type: "file",
          path: withinWorkspace(path, workspace),
          change: kind,
        })),
      );
    case "error":
      // A notice, such as a deprecated setting: the turn goes on.
      return told(messageSchema, item, ({ message }) => [{ type: "warning", text: message }]);
    case "mcp_tool_call":
    case "web_search":
      return [{ type: "tool", name: item.type, detail: JSON.stringify(item) }];
    default:
      return [];
  }
}

function told<T>(
  schema: z.ZodType<T>,
  item: unknown,
  events: (item: T) => readonly AgentEvent[],
): readonly AgentEvent[] {
  const parsed = schema.safeParse(item);
  return parsed.success ? events(parsed.data) : [];
}

function toolEvent(command: string, exitCode: number | null): AgentEvent {
  return {
    type: "tool",
    name: "shell",
    detail: command,
    ...(exitCode === null ? {} : { exitCode }),
  };
}

/** Sums over the whole thread: after a resume the turns before are counted again. */
function usageOf(usage: {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
}): AgentEvent {
  return {
    type: "usage",
    inputTokens: usage.input_tokens,
    cachedInputTokens: usage.cached_input_tokens,
    outputTokens: usage.output_tokens,
    costUsd: null,
  };
}

function withinWorkspace(path: string, workspace: string): string {
  const inside = relative(workspace, path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}
