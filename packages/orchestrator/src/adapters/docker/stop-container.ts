import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { askEngine } from "./ask-engine.ts";
import { engineStatus, isMissing } from "./container-state.ts";

const AGAIN_MS = 1_000;
/** Docker's answer to a signal for a container that does not run. */
const NOT_RUNNING = 409;

/**
 * Ends a container: SIGTERM, then SIGKILL when the grace is over. An engine that does not answer is
 * asked again until `over` aborts, which it must when the container has ended.
 */
export async function stopContainer(
  docker: Docker,
  containerId: string,
  { graceMs, over }: { readonly graceMs: number; readonly over: AbortSignal },
): Promise<void> {
  if (graceMs > 0) {
    await signalContainer(docker, containerId, "SIGTERM", over);
    await pause(graceMs, over);
  }
  await signalContainer(docker, containerId, "SIGKILL", over);
}

async function signalContainer(
  docker: Docker,
  containerId: string,
  signal: "SIGTERM" | "SIGKILL",
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    try {
      await askEngine(
        "end a container",
        (abortSignal) => docker.getContainer(containerId).kill({ signal, abortSignal }),
        { signal: over },
      );
      return;
    } catch (error) {
      if (isMissing(error) || engineStatus(error) === NOT_RUNNING) {
        return;
      }
      await pause(AGAIN_MS, over);
    }
  }
}

async function pause(ms: number, over: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: over }).catch(() => {});
}
