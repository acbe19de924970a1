import type { Failure } from "../domain/failure.ts";

/** Tokens of one model call; `inputTokens` includes the cached ones, `outputTokens` the reasoning. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

/** One call of an agent to its model, as the gateway saw it. */
export interface ModelCall {
  readonly startedAt: Date;
  /** As the request named it; null when it named none. */
  readonly model: string | null;
  /** HTTP status of the provider; null: it has not answered, or was not asked. */
  readonly status: number | null;
  /**
   * - `completed`: the provider said that the response is complete.
   * - `failed`: an error status, or the response failed or came back incomplete.
   * - `cut`: the connection was lost, or the answer ended without saying that it is complete.
   * - `hung`: no header, or no byte, for longer than the gateway waits.
   * - `refused`: by the gateway itself; the provider was not asked.
   */
  readonly outcome: "completed" | "failed" | "cut" | "hung" | "refused";
  /**
   * The provider's machine code (`insufficient_quota`, …), the gateway's own for `refused`, the
   * network's for `cut` (`ECONNREFUSED`, `client_gone`). Never free text.
   */
  readonly errorCode: string | null;
  /** How long after this answer the limit it speaks of ends, as far as the provider has said. */
  readonly resetsInMs: number | null;
  /** null: not told. */
  readonly usage: ModelUsage | null;
  /** null: price or usage not known. */
  readonly costUsd: number | null;
  /** From the call's start to the provider's headers; null: none came. */
  readonly headersMs: number | null;
  readonly durationMs: number;
}

/** What an attempt has left of its run's limits. Undefined: no limit. */
export interface ModelLimits {
  /** Input and output together. */
  readonly tokensLeft?: number | undefined;
  readonly usdLeft?: number | undefined;
}

/** The attempt that asks for a way to its model. */
export interface ModelAttempt {
  readonly runId: string;
  readonly phase: string;
  readonly attempt: number;
  /** The token is refused after that time, whatever became of the attempt. */
  readonly expiresInMs: number;
  readonly limits: ModelLimits;
}

/** What an attempt's ended calls have come to. */
export interface ModelReport {
  /** In the order of their ends; the newest 1 000. */
  readonly calls: readonly ModelCall[];
  /**
   * Sum of all ended calls, also of those that `calls` has dropped. A call whose usage nobody has
   * told counts as a call alone; `costUsd` is null when a price was not known.
   */
  readonly usage: ModelUsage & { readonly costUsd: number | null; readonly calls: number };
}

/** One attempt's way to its model. Disposing it ends its token and cuts what is open. */
export interface ModelAccess extends AsyncDisposable {
  /** For example `http://127.0.0.1:4711/openai/v1`. */
  readonly baseUrl: string;
  /** Throw-away; the only credential the agent gets. */
  readonly token: string;
  /**
   * What the attempt has called so far.
   *
   * @throws SpeckitError `DATABASE_UNAVAILABLE` from a gateway whose calls are in the store
   */
  readonly report: () => Promise<ModelReport>;
  /**
   * Calls back when the provider has sent something: its model is at work. At once, or some seconds
   * later where the gateway is another process.
   */
  readonly onHeard: (listener: () => void) => void;
  /**
   * Resolves when the attempt must be ended because of its model calls: a limit of its run was
   * reached, or call after call hangs. Never rejects; stays open when that never happens.
   */
  readonly ended: Promise<Failure>;
}

/** Gives attempts a way to their model that holds no key worth stealing. */
export interface ModelGateway {
  readonly open: (attempt: ModelAttempt) => Promise<ModelAccess>;
}
