import type { ErrorCode } from "../../domain/error-codes.ts";
import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";

/** Of the way to the engine: by errno, or by the code of Node's HTTP and TLS. */
const BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  EACCES: "ENGINE_FORBIDDEN",
  EPERM: "ENGINE_FORBIDDEN",
  CERT_HAS_EXPIRED: "ENGINE_FORBIDDEN",
  DEPTH_ZERO_SELF_SIGNED_CERT: "ENGINE_FORBIDDEN",
  SELF_SIGNED_CERT_IN_CHAIN: "ENGINE_FORBIDDEN",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "ENGINE_FORBIDDEN",
  ERR_TLS_CERT_ALTNAME_INVALID: "ENGINE_FORBIDDEN",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "ENGINE_FORBIDDEN",
};

/**
 * Faults the engine tells with one status for all kinds: only its words say which. Docker 20.10 to
 * 28; the first that fits counts.
 */
const BY_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/no space left on device|disk quota exceeded/i, "ENGINE_NO_SPACE"],
  [/no such image/i, "IMAGE_MISSING"],
  // An image's entry program, or what it is interpreted by, is not there or cannot be run.
  [
    /executable file not found|exec format error|no such file or directory: unknown/i,
    "IMAGE_UNUSABLE",
  ],
  [/client version .* is too (?:new|old)|Minimum supported API version/i, "ENGINE_TOO_OLD"],
];

/** Status of an answer of the engine, undefined for an error that is none. */
export function statusOf(error: unknown): number | undefined {
  const { statusCode } = Object(error) as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : undefined;
}

/**
 * What an error of the engine, of the way to it, or of a call that took too long means. An abort by
 * the caller is no fault of the engine: it is handed on as it is.
 *
 * @param doing what was asked for, for example `create a container`
 */
export function engineError(cause: unknown, doing: string): unknown {
  if (isSpeckitError(cause)) {
    return cause;
  }
  const status = statusOf(cause);
  if (status !== undefined) {
    const words = wordsOf(cause);
    const code = BY_WORDS.find(([pattern]) => pattern.test(words))?.[1];
    const fallback = status === 401 || status === 403 ? "ENGINE_FORBIDDEN" : "ENGINE_FAILED";
    return new SpeckitError(code ?? fallback, `Docker could not ${doing}: ${words}`, { cause });
  }
  const { code, message } = Object(cause) as {
    readonly code?: unknown;
    readonly message?: unknown;
  };
  if (typeof code !== "string") {
    return cause;
  }
  const named = BY_ERRNO[code] ?? "ENGINE_UNAVAILABLE";
  const says = named === "ENGINE_FORBIDDEN" ? "may not be used" : "did not answer";
  // Node's own words have the address: "connect ENOENT /var/run/docker.sock".
  const why = typeof message === "string" && message.includes(code) ? message : code;
  return new SpeckitError(named, `The Docker engine ${says}, asked to ${doing} (${why})`, {
    cause,
  });
}

/** The engine did not answer within the time it had. */
export function engineTooSlow(doing: string, ms: number): SpeckitError {
  return new SpeckitError(
    "ENGINE_UNAVAILABLE",
    `The Docker engine did not answer within ${Math.round(ms / 1000)} s, asked to ${doing}`,
  );
}

/** The engine's own words, on one line. */
function wordsOf(cause: unknown): string {
  const { json, message } = Object(cause) as {
    readonly json?: { readonly message?: unknown };
    readonly message?: unknown;
  };
  const text = typeof json?.message === "string" ? json.message : String(message);
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
