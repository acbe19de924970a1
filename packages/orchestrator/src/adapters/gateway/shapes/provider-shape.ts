import type { ModelProvider } from "../../../domain/model-provider.ts";
import type { ModelUsage } from "../../../ports/model-gateway.ts";
import type { OwnAnswer } from "../own-answer.ts";
import type { Sighting } from "../sighting.ts";

/** One way that leads on to the provider. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Behind the upstream's base URL, with what of the query may go on. */
  readonly path: string;
  /** Where the path names it; left out: the body does. */
  readonly model?: string;
}

/** Reads what a good status comes with. Keeps what it must know between two events. */
export interface AnswerReader {
  /** An event of a stream. @returns what it says about the answer's end; undefined: it goes on */
  readonly event: (name: string | undefined, data: string) => Sighting | undefined;
  /** The whole of an answer that was not streamed. */
  readonly document: (document: unknown) => Sighting | undefined;
  /** Tokens as far as they were told: what a stream has cost that breaks off. */
  readonly usage: () => ModelUsage | null;
}

/**
 * All that differs between providers: where their calls go, how a key is put, and how what they say
 * about ends, errors and tokens is read. Tokens of attempts, limits, cool-downs, streaming and records
 * are the gateway's own and the same for all of them.
 */
export interface ProviderShape {
  readonly provider: ModelProvider;
  /** What the base URL of its agents ends with. */
  readonly prefix: string;
  /** Where calls go when nothing else is configured, without a slash at its end. */
  readonly defaultBaseUrl: string;
  /** The ways that lead on, for people. */
  readonly ways: string;
  /**
   * @param path behind `prefix`
   * @param query without its question mark
   * @returns undefined for what is no agent's
   */
  readonly routeOf: (method: string, path: string, query: string) => Route | undefined;
  /** The header its clients send their key in, by lower-case name. */
  readonly keyHeader: string;
  readonly keyValue: (apiKey: string) => string;
  readonly readAnswer: (now: () => Date) => AnswerReader;
  /** The error object of an error answer's body. */
  readonly errorOf: (body: unknown) => unknown;
  /** The machine code of an error object; never free text. */
  readonly errorCodeOf: (error: unknown) => string | null;
  /** The body of an answer of the gateway's own, as this provider's clients read one. */
  readonly ownBody: (answer: OwnAnswer) => object;
}

/** A query again, with what is let through. */
export function withQuery(path: string, query: string): string {
  return query === "" ? path : `${path}?${query}`;
}
