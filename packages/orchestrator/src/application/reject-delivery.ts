import { REJECTED_EVENT } from "../contract/run-event.ts";
import type { RunRejected } from "../contract/run-result.ts";
import type { Failure } from "../domain/failure.ts";
import { withoutUrlCredentials } from "../domain/url-credentials.ts";
import type { RequestDelivery, RequestVerdict } from "../ports/transport.ts";
import type { Dependencies } from "./dependencies.ts";

/** Refuses what came through the public door: told as an event, answered, kept with its reason. */
export async function rejectDelivery(
  deps: Dependencies & { readonly deploymentId: string },
  delivery: RequestDelivery,
  failure: Failure,
): Promise<RequestVerdict> {
  deps.logger.warn(`${delivery.kind} refused`, { code: failure.code, reason: failure.message });
  deps.metrics?.count(delivery.kind === "command" ? "commands" : "requests", { became: "refused" });
  deps.metrics?.count("dead_letters", { code: failure.code });
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
  const body = withoutCredentials(delivery, failure);
  return { do: "dead_letter", failure, ...(body === undefined ? {} : { body }) };
}

/**
 * What is kept of a request that must be corrected before it is sent again: a repository's address with
 * a password in it is a common mistake, and the dead-letter queue no place for passwords.
 */
function withoutCredentials({ body }: RequestDelivery, { code }: Failure): Uint8Array | undefined {
  if (code !== "REPOSITORY_INVALID" && code !== "REQUEST_INVALID") {
    return undefined;
  }
  const text = new TextDecoder().decode(body);
  const kept = withoutUrlCredentials(text);
  return kept === text ? undefined : new TextEncoder().encode(kept);
}

/** Telling is a courtesy: what was decided stands when nobody could be told. */
export async function tell(
  deps: Pick<Dependencies, "logger">,
  publish: () => Promise<void>,
): Promise<void> {
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
