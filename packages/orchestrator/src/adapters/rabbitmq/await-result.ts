import type { RunRejected, RunResult } from "../../contract/run-result.ts";
import { isErrorCode } from "../../domain/error-codes.ts";
import { OUTCOMES } from "../../domain/run-state.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { AwaitedReplies } from "./reply-inbox.ts";

const OVER: readonly string[] = OUTCOMES;

/**
 * Waits until a run's result comes, and asks again meanwhile: the reply to a request that was
 * accepted before is where its run stands, and a reply can be lost with its queue.
 *
 * @throws SpeckitError `RESULT_NOT_IN_TIME`, or the code of the refusal
 */
export async function awaitResult(
  replies: AwaitedReplies,
  options: {
    readonly runId: string;
    readonly timeoutMs: number;
    readonly askAgainMs: number;
    /** Must not reject. */
    readonly askAgain: () => Promise<void>;
  },
): Promise<RunResult> {
  const deadlineMs = performance.now() + options.timeoutMs;
  let status: string | undefined;
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) {
      throw notInTime(options.runId, options.timeoutMs, status);
    }
    const reply = await replies.next(Math.min(leftMs, options.askAgainMs));
    if (reply === undefined) {
      if (performance.now() < deadlineMs) {
        await options.askAgain();
      }
    } else if (reply instanceof SpeckitError) {
      throw reply;
    } else if (reply.status === "rejected") {
      throw refusal(reply);
    } else if (OVER.includes(reply.status)) {
      return reply;
    } else {
      status = reply.status;
    }
  }
}

/** A worker of another version may know codes that this one does not. */
function refusal({ failure: { code, message, remedy } }: RunRejected): SpeckitError {
  return isErrorCode(code)
    ? new SpeckitError(code, message, { remedy })
    : new SpeckitError("REQUEST_INVALID", `${code}: ${message}`, { remedy });
}

function notInTime(runId: string, timeoutMs: number, status: string | undefined): SpeckitError {
  const stands = status === undefined ? "no worker has answered" : `it is ${status}`;
  return new SpeckitError(
    "RESULT_NOT_IN_TIME",
    `Run ${runId} was not over within ${timeoutMs} ms: ${stands}`,
  );
}
