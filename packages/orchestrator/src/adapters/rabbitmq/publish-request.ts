import type { RunRequest } from "../../contract/run-request.ts";
import { publishOnce } from "./publish-once.ts";
import { namesOf, ROUTING_KEYS } from "./topology.ts";

/**
 * Hands a request to a fleet through its public door, as any other producer would. Resolves when
 * the request is safe in the queue; whether it is accepted is told by events and the reply.
 *
 * @throws SpeckitError `BROKER_UNAVAILABLE` (also when no worker has declared the queue yet),
 *   `SERVICE_REFUSED`, `CONFIGURATION_INVALID`
 */
export async function publishRequest(
  url: string,
  prefix: string,
  request: RunRequest,
  reply: { readonly replyTo?: string; readonly correlationId?: string } = {},
): Promise<void> {
  await publishOnce(url, "speckit request", {
    exchange: namesOf(prefix).requests,
    routingKey: ROUTING_KEYS.request,
    body: Buffer.from(JSON.stringify(request)),
    mustBeRouted: true,
    properties: { contentType: "application/json", ...reply },
  });
}
