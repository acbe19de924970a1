import { parseRunRequestBytes } from "../contract/parse-run-request.ts";
import { failureOf, isSpeckitError, SpeckitError } from "../domain/speckit-error.ts";
import type { RequestDelivery, RequestVerdict } from "../ports/transport.ts";
import type { Dependencies } from "./dependencies.ts";
import { readRunResult } from "./read-run-result.ts";
import { rejectDelivery, tell } from "./reject-delivery.ts";
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
    deps.metrics?.count("requests", { became: submitted.isNew ? "accepted" : "known" });
    if (!submitted.isNew && replyTo !== undefined) {
      const result = await readRunResult(deps, submitted.run.runId);
      await tell(deps, () => deps.transport.publishReply(replyTo, correlationId, result));
    }
    return { do: "ack" };
  } catch (error) {
    if (signal.aborted && (!isSpeckitError(error) || error.class !== "bad_message")) {
      return { do: "leave" };
    }
    return rejectDelivery(deps, delivery, failureOf(error));
  }
}

/** They are kept with the run, and PostgreSQL has no NUL in text. */
function requireStorable(property: string, text: string | undefined): void {
  if (text?.includes("\u0000") === true) {
    throw new SpeckitError("REQUEST_INVALID", `${property}: expected text without NUL characters`);
  }
}
