import { setTimeout as sleep } from "node:timers/promises";
import { askGateway } from "./ask-gateway.mjs";
import { findOpenWays } from "./find-open-ways.mjs";
import { Refused } from "./refused.mjs";

const tryMs = 5_000;
const pauseMs = 250;

/**
 * Shows, before the start ticket is taken, that the gateway is all there is to reach: nothing else answers, and the
 * gateway does, through the bridge that the agent will use. One that is still starting is waited for.
 *
 * @param {import("./read-job.mjs").JobFile} job
 * @param {AbortSignal} signal
 */
export async function probeEgress({ gateway, bridgePort, deniedTargets, ticketWithinMs }, signal) {
  const deadline = performance.now() + ticketWithinMs;
  const ways = await findOpenWays(deniedTargets);
  signal.throwIfAborted();
  if (ways.length > 0) throw new Refused("egress_open", ways.join("; "), { ways });
  for (;;) {
    const withinMs = Math.max(1, Math.ceil(Math.min(tryMs, deadline - performance.now())));
    const answer = await ask("", { port: bridgePort, withinMs, signal });
    signal.throwIfAborted();
    if (typeof answer === "number" && answer < 500) return;
    if (performance.now() >= deadline) {
      // The bridge only tells that it was cut; the socket has the reason.
      const reason = await ask(gateway, { withinMs: tryMs, signal });
      throw new Refused("gateway_unreachable", `last answer: ${reason}`);
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/**
 * @param {string} socketPath
 * @param {Parameters<typeof askGateway>[3]} how
 * @returns {Promise<number | string>} a status, or why there was none
 */
async function ask(socketPath, how) {
  try {
    return await askGateway(socketPath, "GET", "/healthz", how);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code ?? String(error);
  }
}
