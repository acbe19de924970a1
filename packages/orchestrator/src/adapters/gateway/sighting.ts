import type { ModelUsage } from "../../ports/model-gateway.ts";

/** What an answer with a good status has said about its own end. */
export interface Sighting {
  readonly outcome: "completed" | "failed";
  readonly errorCode: string | null;
  readonly resetsInMs: number | null;
  readonly usage: ModelUsage | null;
}

/** The machine code of an error object, its type where it has none. Never free text. */
export function codeOf(error: unknown): string | null {
  const { code, type } = fieldsOf(error);
  return tokenOf(code) ?? tokenOf(type);
}

/** A word of a machine; null for what may be free text. */
export function tokenOf(value: unknown): string | null {
  return typeof value === "string" && /^[\w.:-]{1,64}$/.test(value) ? value : null;
}

/** A number of tokens; undefined for what is none. */
export function tokensOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
