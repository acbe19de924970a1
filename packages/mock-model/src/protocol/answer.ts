import type { JsonObject } from "./json.ts";

/** One server-sent event; its type is its name, where it has one. */
export type StreamEvent = JsonObject & { readonly type?: string };

/** What goes back over the socket. */
export type Answer =
  | {
      readonly kind: "json";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: JsonObject;
    }
  | {
      readonly kind: "stream";
      readonly events: readonly StreamEvent[];
      /** After the last event: the body ends, the connection is cut in the middle of it, or nothing more comes. */
      readonly ending: "end" | "cut" | "silence";
      /** Before each event. Default 0. */
      readonly pauseMs?: number;
    }
  /** Not even headers, for as long as the client waits. */
  | { readonly kind: "silence" };

/** The shape of every error a provider answers instead of a stream. */
export function errorAnswer(
  status: number,
  error: {
    readonly message: string;
    readonly type: string;
    readonly code: string | null;
  } & JsonObject,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { kind: "json", status, headers, body: { error: { param: null, ...error } } };
}
