import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import type { JobName } from "../../ports/job-runtime.ts";
import { askEngine } from "./ask-engine.ts";
import { engineStatus, isMissing } from "./container-state.ts";
import { objectName, watchName } from "./job-objects.ts";

const CONFLICT = 409;
const AGAIN_MS = 250;
/** A container with a large volume takes a while to go. */
const REMOVE_MS = 120_000;

/** Ends a job if it runs and removes all it has on its engine. What is missing is fine. */
export async function removeJob(docker: Docker, deploymentId: string, job: JobName): Promise<void> {
  const name = objectName(deploymentId, job);
  await removeContainer(docker, watchName(deploymentId, job));
  await removeContainer(docker, name);
  await untilRemoved("remove a volume", (abortSignal) =>
    docker.getVolume(name).remove({ abortSignal }),
  );
}

/** Ends a container if it runs and removes it. */
export function removeContainer(docker: Docker, idOrName: string): Promise<void> {
  return untilRemoved("remove a container", (abortSignal) =>
    docker.getContainer(idOrName).remove({ force: true, v: true, abortSignal }),
  );
}

/** Somebody else may be removing it: then until it is gone. */
async function untilRemoved(
  doing: string,
  remove: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    try {
      await askEngine(doing, remove, { deadlineMs: REMOVE_MS });
      return;
    } catch (error) {
      if (isMissing(error)) {
        return;
      }
      if (engineStatus(error) !== CONFLICT || performance.now() - startedMs > REMOVE_MS) {
        throw error;
      }
    }
    await sleep(AGAIN_MS);
  }
}
