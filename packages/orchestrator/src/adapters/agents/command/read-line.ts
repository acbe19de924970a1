import { z } from "zod";
import type { AgentEvent } from "../../../ports/agent-backend.ts";

/** Longest text of one event, in bytes of UTF-8. */
export const TEXT_MAX_BYTES = 16 * 1024;
const NAME_MAX_BYTES = 1024;

const text = z.string().transform((value) => cut(value, TEXT_MAX_BYTES));
const name = z.string().transform((value) => cut(value, NAME_MAX_BYTES));
const count = z.int().nonnegative();

/** The events an agent may print as JSON lines: the port's own shape, unknown fields dropped. */
const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message"), text }),
  z.object({
    type: z.literal("tool"),
    name,
    detail: text.default(""),
    exitCode: z.int().optional(),
  }),
  z.object({ type: z.literal("file"), path: name, change: name.default("changed") }),
  z.object({
    type: z.literal("usage"),
    inputTokens: count,
    cachedInputTokens: count.default(0),
    outputTokens: count,
    costUsd: z.number().nonnegative().nullable().default(null),
  }),
  z.object({ type: z.literal("warning"), text }),
]);

/**
 * The event a line of output is. A line that is not an event of the documented shape is a message,
 * JSON or not; a blank one is nothing.
 */
export function readLine(line: string): readonly AgentEvent[] {
  if (line.trim() === "") {
    return [];
  }
  return [asEvent(line) ?? { type: "message", text: cut(line, TEXT_MAX_BYTES) }];
}

function asEvent(line: string): AgentEvent | undefined {
  if (!line.trimStart().startsWith("{")) {
    return undefined;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const result = eventSchema.safeParse(parsed);
  if (!result.success) {
    return undefined;
  }
  const event = result.data;
  if (event.type !== "tool") {
    return event;
  }
  const { exitCode, ...tool } = event;
  return exitCode === undefined ? tool : { ...tool, exitCode };
}

function cut(value: string, maxBytes: number): string {
  // Each UTF-16 unit is at most three bytes: most texts need no second look.
  if (value.length * 3 <= maxBytes) {
    return value;
  }
  const { read } = new TextEncoder().encodeInto(value, new Uint8Array(maxBytes));
  return read < value.length ? value.slice(0, read) : value;
}
