import type { ModelUsage } from "../../ports/model-gateway.ts";
import { resetOfStreamedError } from "./reset-time.ts";

/** What an answer with a good status has said about its own end. */
export interface Sighting {
  readonly outcome: "completed" | "failed";
  readonly errorCode: string | null;
  readonly resetsInMs: number | null;
  readonly usage: ModelUsage | null;
}

/**
 * Reads a response object of the provider: complete, failed, or broken off with part of it made.
 *
 * @param response as in `response.completed`, or the body of a call that was not streamed
 * @param outcome what the event said; default: by the response's own `status`
 */
export function sightingOf(
  response: unknown,
  now: Date,
  outcome?: Sighting["outcome"],
): Sighting | undefined {
  const { status, error, incomplete_details: incomplete, usage } = fieldsOf(response);
  const ended =
    outcome ?? (status === "completed" ? "completed" : isEnd(status) ? "failed" : undefined);
  if (ended === undefined) {
    return undefined;
  }
  return {
    outcome: ended,
    errorCode: ended === "failed" ? (codeOf(error) ?? tokenOf(fieldsOf(incomplete).reason)) : null,
    resetsInMs: ended === "failed" ? resetOfStreamedError(error, now) : null,
    usage: usageOf(usage),
  };
}

function isEnd(status: unknown): boolean {
  return status === "failed" || status === "incomplete" || status === "cancelled";
}

/** The machine code of an error object, its type where it has none. Never free text. */
export function codeOf(error: unknown): string | null {
  const { code, type } = fieldsOf(error);
  return tokenOf(code) ?? tokenOf(type);
}

function tokenOf(value: unknown): string | null {
  return typeof value === "string" && /^[\w.:-]{1,64}$/.test(value) ? value : null;
}

function usageOf(usage: unknown): ModelUsage | null {
  const {
    input_tokens: input,
    output_tokens: output,
    input_tokens_details: details,
  } = fieldsOf(usage);
  const inputTokens = count(input);
  const outputTokens = count(output);
  if (inputTokens === undefined || outputTokens === undefined) {
    return null;
  }
  const cached = count(fieldsOf(details).cached_tokens) ?? 0;
  return { inputTokens, cachedInputTokens: Math.min(cached, inputTokens), outputTokens };
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
