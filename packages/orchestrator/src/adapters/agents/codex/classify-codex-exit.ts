import type { ErrorCode } from "../../../domain/error-codes.ts";
import { type Failure, failure } from "../../../domain/failure.ts";
import { modelFailure } from "../../../domain/model-failure.ts";
import type { AgentExit } from "../../../ports/agent-backend.ts";
import type { ModelCall } from "../../../ports/model-gateway.ts";

/**
 * What a failed turn says, where no call at the gateway explains it. Codex has no machine code and
 * exits with 1 whatever happened; these are its own sentences, of version 0.169.0. First match wins.
 */
const SENTENCES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/quota exceeded|usage limit|insufficient_quota|billing/i, "QUOTA_EXHAUSTED"],
  [/429 Too Many Requests|rate limit/i, "RATE_LIMITED"],
  [
    /unexpected status 40[13]|Missing environment variable|invalid_api_key/i,
    "MODEL_CREDENTIALS_REFUSED",
  ],
  [/does not exist or you do not have access/i, "MODEL_NOT_FOUND"],
  [/ran out of room|Incomplete response/i, "CONTEXT_TOO_LONG"],
  [/invalid_request_error|unsupported/i, "MODEL_REQUEST_REFUSED"],
  [
    /stream disconnected|high demand|at capacity|Connection failed|unexpected status 5\d\d|idle timeout/i,
    "MODEL_UNAVAILABLE",
  ],
];

/** What it says on stderr, before any turn, of a conversation it cannot find or read. */
const LOST_SESSION = /thread\/resume|no rollout found/i;

/**
 * The failure an exit of Codex stands for. Exit code 0 only says that the turn was completed; a
 * failed turn is explained by its last model call, else by its own words.
 *
 * @param turn what the output said of the turn
 */
export function classifyCodexExit(
  exit: AgentExit,
  turn: {
    readonly completed: boolean;
    readonly failedWith: string | undefined;
    readonly begun: boolean;
  },
): Failure | undefined {
  if (exit.signal !== null) {
    return failure("AGENT_KILLED", `Codex was ended by ${exit.signal}`);
  }
  if (exit.exitCode === 0 && turn.completed) {
    return undefined;
  }
  if (!turn.begun && LOST_SESSION.test(exit.stderrTail)) {
    return failure("AGENT_FAILED", "Codex could not go on with its earlier conversation");
  }
  if (!turn.begun && exit.exitCode !== 0) {
    // A bad flag, configuration, key of it or session: told on stderr, before a model is called.
    return failure(
      "AGENT_SETUP_REFUSED",
      `Codex exited with code ${exit.exitCode ?? "unknown"} before its first turn`,
    );
  }
  const last = exit.calls.at(-1);
  const known = last === undefined ? undefined : modelFailure(last, endOf(last));
  if (known !== undefined) {
    return known;
  }
  const words = turn.failedWith ?? "";
  const code = SENTENCES.find(([pattern]) => pattern.test(words))?.[1] ?? "AGENT_FAILED";
  return failure(
    code,
    `Codex exited with code ${exit.exitCode ?? "unknown"} ${turn.failedWith === undefined ? "without an end of its turn" : "after a failed turn"}`,
  );
}

/** What a provider's "in 20 seconds" is counted from. */
function endOf({ startedAt, durationMs }: ModelCall): Date {
  return new Date(startedAt.getTime() + durationMs);
}
