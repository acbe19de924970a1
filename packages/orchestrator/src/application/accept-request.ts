import { parseRunRequestBytes } from "../contract/parse-run-request.ts";
import { REJECTED_EVENT } from "../contract/run-event.ts";
import type { RunRejected } from "../contract/run-result.ts";
import type { Failure } from "../domain/failure.ts";
import { failureOf, isSpeckitError, SpeckitError } from "../domain/speckit-error.ts";
import type { RequestDelivery, RequestVerdict } from "../ports/transport.ts";
import type { Dependencies } from "./dependencies.ts";
import { readRunResult } from "./read-run-result.ts";
import { submitRun } from "./submit-run.ts";
import { untilAvailable } from "./until-available.ts";

/**
 * The public door: a request's bytes become a stored run, or a refusal that is kept with its reason,
 * told as an event and answered. While the database is away the request stays in hand.
 */
export async function acceptRequest(
  deps: Dependencies & { readonly deploymentId: string },
  delivery: RequestDelivery,
  signal: AbortSignal,
): Promise<RequestVerdict> {
  try {
    const parsed = parseRunRequestBytes(delivery.body);
    const { replyTo, correlationId } = delivery;
    requireStorable("reply-to", replyTo);
    requireStorable("correlation-id", correlationId);
    const submitted = await untilAvailable(deps, signal, () =>
      submitRun(deps, { ...parsed, replyTo, correlationId }),
    );
    const fields = { runId: submitted.run.runId, repository: submitted.run.repository };
    deps.logger.info(submitted.isNew ? "request accepted" : "request known", fields);
    if (!submitted.isNew && replyTo !== undefined) {
      const result = await readRunResult(deps, submitted.run.runId);
      await tell(deps, () => deps.transport.publishReply(replyTo, correlationId, result));
    }
    return { do: "ack" };
  } catch (error) {
    if (signal.aborted && (!isSpeckitError(error) || error.class !== "bad_message")) {
      return { do: "leave" };
    }
    const failure = failureOf(error);
    deps.logger.warn("request refused", { code: failure.code, reason: failure.message });
    await reject(deps, delivery, failure);
    return { do: "dead_letter", failure };
  }
}

async function reject(
  deps: Dependencies & { readonly deploymentId: string },
  delivery: RequestDelivery,
  failure: Failure,
): Promise<void> {
  const rejected: RunRejected = { status: "rejected", runId: claimedRunId(delivery.body), failure };
  const id = deps.identity.newRunId();
  await tell(deps, () =>
    deps.transport.publishEvent({
      specversion: "1.0",
      id: `rejected/${id}`,
      source: `/speckit/${deps.deploymentId}`,
      type: `speckit.${REJECTED_EVENT}`,
      subject: rejected.runId ?? "",
      time: deps.clock.now().toISOString(),
      datacontenttype: "application/json",
      data: rejected,
    }),
  );
  const { replyTo } = delivery;
  if (replyTo !== undefined) {
    await tell(deps, () => deps.transport.publishReply(replyTo, delivery.correlationId, rejected));
  }
}

/** They are kept with the run, and PostgreSQL has no NUL in text. */
function requireStorable(property: string, text: string | undefined): void {
  if (text?.includes("\u0000") === true) {
    throw new SpeckitError("REQUEST_INVALID", `${property}: expected text without NUL characters`);
  }
}

/** Telling is a courtesy: what was decided stands when nobody could be told. */
async function tell(deps: Dependencies, publish: () => Promise<void>): Promise<void> {
  try {
    await publish();
  } catch (error) {
    deps.logger.warn("not told", { error: String(error) });
  }
}

/** The run id a refused request names, when it is readable: for the sender to match. */
function claimedRunId(body: Uint8Array): string | null {
  if (body.byteLength > 1_000_000) {
    return null;
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    const runId =
      typeof value === "object" && value !== null && "runId" in value ? value.runId : null;
    return typeof runId === "string" ? runId.slice(0, 100) : null;
  } catch {
    return null;
  }
}
