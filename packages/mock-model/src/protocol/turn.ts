import type { Answer, StreamEvent } from "./answer.ts";
import type { JsonObject } from "./json.ts";

/** What every answered call costs, so that sums over a run can be told in advance. */
export const USAGE_PER_CALL = {
  inputTokens: 1_000,
  cachedInputTokens: 64,
  outputTokens: 50,
  reasoningTokens: 7,
} as const;

/** Something a model gives: a message, or the call of a tool. */
export type OutputItem = JsonObject & { readonly type: string };

export function message(text: string): OutputItem {
  return {
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
}

/** A whole answer: what the model gives, and what it costs. */
export function turn(...items: readonly OutputItem[]): Answer & { readonly kind: "stream" } {
  return { kind: "stream", events: [...begun(items), completed()], ending: "end" };
}

/** The events of an answer up to the one that ends it. */
export function begun(items: readonly OutputItem[]): readonly StreamEvent[] {
  return [
    { type: "response.created", response: { id: "resp_1", status: "in_progress" } },
    ...items.flatMap((item, index) => eventsOf(item, index)),
  ];
}

/** The event without which a stream has failed, whatever came before. */
function completed(): StreamEvent {
  return {
    type: "response.completed",
    response: { id: "resp_1", status: "completed", usage: usage() },
  };
}

export function usage(): JsonObject {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = USAGE_PER_CALL;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

function eventsOf(item: OutputItem, index: number): readonly StreamEvent[] {
  const where = { output_index: index };
  const text = item.type === "message" ? textOf(item) : undefined;
  return [
    { type: "response.output_item.added", ...where, item: { ...item, ...emptied(item) } },
    ...(text === undefined
      ? []
      : pieces(text).map((delta) => ({
          type: "response.output_text.delta",
          ...where,
          item_id: item.id,
          content_index: 0,
          delta,
        }))),
    { type: "response.output_item.done", ...where, item },
  ];
}

/** An item that was only begun: its text is still to come. */
function emptied(item: OutputItem): JsonObject {
  switch (item.type) {
    case "message":
      return { status: "in_progress", content: [] };
    case "function_call":
      return { status: "in_progress", arguments: "" };
    default:
      return { status: "in_progress", input: "" };
  }
}

function textOf({ content }: OutputItem): string {
  return Array.isArray(content) ? content.map((part) => String(part.text)).join("") : "";
}

/** A text in five parts, as a model would stream it. */
function pieces(text: string): readonly string[] {
  const size = Math.max(1, Math.ceil(text.length / 5));
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
}
