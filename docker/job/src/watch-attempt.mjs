import { setTimeout as sleep } from "node:timers/promises";
import { askGateway } from "./ask-gateway.mjs";

/**
 * Asks again and again whether the attempt is still live; resolves with the reason once it is not, or once nobody could
 * say so for too long. By the monotonic clock: a changed wall clock ends no agent.
 *
 * @param {import("./read-job.mjs").JobFile} job
 * @param {AbortSignal} signal ends the watch; then it resolves with undefined
 * @returns {Promise<string | undefined>}
 */
export async function watchAttempt({ gateway, token, livenessMs, giveUpMs }, signal) {
  let liveAt = performance.now();
  while (!signal.aborted) {
    const untilGiveUpMs = liveAt + giveUpMs - performance.now();
    await sleep(Math.min(livenessMs, Math.max(0, untilGiveUpMs)), undefined, { signal }).catch(
      () => {},
    );
    if (signal.aborted) break;
    const askedAt = performance.now();
    const answer = await askGateway(gateway, "GET", "/speckit/v1/attempt", {
      token,
      withinMs: livenessMs,
      signal,
    }).catch((error) => error.code ?? String(error));
    if (answer === 204) liveAt = askedAt;
    else if (answer === 410) return "the attempt is not live any more";
    else if (performance.now() - liveAt >= giveUpMs && !signal.aborted) {
      return `nobody could say for ${giveUpMs} ms that the attempt is live; last answer: ${answer}`;
    }
  }
  return undefined;
}
