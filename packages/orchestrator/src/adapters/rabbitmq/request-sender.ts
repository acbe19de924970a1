import { setTimeout as sleep } from "node:timers/promises";
import { isSpeckitError } from "../../domain/speckit-error.ts";
import { backOffMs } from "./back-off.ts";
import type { ConfirmingPublisher } from "./confirming-publisher.ts";
import type { RequestMessage } from "./request-message.ts";
import { namesOf, ROUTING_KEYS } from "./topology.ts";

/**
 * Sends a request until it is confirmed, the time is over, or trying again is of no use. It may
 * arrive more than once; that is safe, since it has a `runId`.
 *
 * @param replyTo the queue for the result, with the run's id as `correlation-id`
 */
export type SendRequest = (message: RequestMessage, replyTo?: string) => Promise<void>;

export function requestSender(options: {
  readonly publisher: ConfirmingPublisher;
  readonly prefix: string;
  readonly withinMs: number;
  readonly stopping: AbortSignal;
}): SendRequest {
  const { publisher, prefix, withinMs, stopping } = options;
  const exchange = namesOf(prefix).requests;
  const routingKey = ROUTING_KEYS.request;
  return async ({ runId, body }, replyTo) => {
    const deadlineMs = performance.now() + withinMs;
    const properties = {
      contentType: "application/json",
      ...(replyTo === undefined ? {} : { replyTo, correlationId: runId }),
    };
    for (let failures = 1; ; failures += 1) {
      try {
        await publisher.publish({ exchange, routingKey, body, mustBeRouted: true, properties });
        return;
      } catch (error) {
        const pauseMs = backOffMs(failures);
        const isLast = stopping.aborted || performance.now() + pauseMs > deadlineMs;
        if (isLast || !isSpeckitError(error) || error.code !== "BROKER_UNAVAILABLE") {
          throw error;
        }
        await sleep(pauseMs);
      }
    }
  };
}
