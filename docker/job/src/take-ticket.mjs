import { setTimeout as sleep } from "node:timers/promises";
import { askGateway } from "./ask-gateway.mjs";
import { Refused } from "./refused.mjs";

/** A single try; the gateway asks its database, which has 5 s. */
const tryMs = 10_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Takes the attempt's single start ticket, right before the agent starts.
 *
 * A gateway that is away or cannot ask its database is asked again until the time is over. An answer that got lost on
 * its way makes the next try a refusal: then no agent starts at all, which is the safe side.
 *
 * @param {import("./read-job.mjs").JobFile} job
 * @param {AbortSignal} signal
 */
export async function takeTicket({ gateway, token, ticketWithinMs }, signal) {
  const deadline = performance.now() + ticketWithinMs;
  let pauseMs = firstPauseMs;
  for (;;) {
    const answer = await askOnce(gateway, token, deadline, signal);
    if (answer === 204) return;
    signal.throwIfAborted();
    if (typeof answer === "number" && answer < 500) {
      throw new Refused("start_refused", `the gateway answered ${answer}`, { status: answer });
    }
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw new Refused("gateway_unreachable", `last answer: ${answer}`);
    const pause = Math.min(leftMs, pauseMs * (0.5 + Math.random() / 2));
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/**
 * @param {string} gateway
 * @param {string} token
 * @param {number} deadline
 * @param {AbortSignal} signal
 * @returns {Promise<number | string>} a status, or why there was none
 */
async function askOnce(gateway, token, deadline, signal) {
  const withinMs = Math.max(1, Math.ceil(Math.min(tryMs, deadline - performance.now())));
  try {
    return await askGateway(gateway, "POST", "/speckit/v1/start", { token, withinMs, signal });
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code ?? String(error);
  }
}
