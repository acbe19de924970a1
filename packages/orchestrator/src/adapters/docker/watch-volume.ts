import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import type { JobName } from "../../ports/job-runtime.ts";
import { LineCutter } from "../supervision/line-cutter.ts";
import { askEngine } from "./ask-engine.ts";
import { containerState } from "./container-state.ts";
import { CONFINED, PLAIN } from "./create-container.ts";
import type { DockerContext } from "./docker-options.ts";
import { JOB_ROOT } from "./job-file.ts";
import { labelsOf, objectName, watchName } from "./job-objects.ts";
import { Frames } from "./output/frames.ts";
import { openLog } from "./output/open-log.ts";
import { removeContainer } from "./remove-job.ts";
import { volumeMount } from "./volume-mount.ts";

/** `-x` stays in the volume; what vanishes while it looks is no news. */
const SCRIPT = `while :; do du -skx ${JOB_ROOT} 2>/dev/null; sleep 3; done`;
const MEMORY_BYTES = 128 * 1024 * 1024;
const AGAIN_MS = 2_000;

/**
 * Docker knows no quota for a volume, so a second container measures it every 3 seconds: one that may
 * read everything (no `chmod 000` hides a file from it), write nothing, and that the job can neither
 * see nor stop. It begins late: most jobs are over before they could fill anything.
 *
 * A sparse file counts as what it takes up.
 *
 * @param onFull told once, when the volume holds more than `workspaceMaxBytes`
 * @returns ends and removes it; with `leave`, a container that goes on without us is left alone
 */
export function watchVolume(
  context: DockerContext,
  job: JobName,
  containerId: string,
  onFull: () => void,
): { readonly stop: (how?: "leave") => Promise<void> } {
  const { docker, deploymentId, limits, times, logger } = context;
  const name = watchName(deploymentId, job);
  const over = new AbortController();
  let isCreated = false;

  async function watch(): Promise<void> {
    await sleep(times.watchAfterMs, undefined, { signal: over.signal });
    while (!over.signal.aborted) {
      try {
        // Its supervisor hears later than the engine knows; what is gone is not watched.
        if ((await containerState(docker, containerId, over.signal))?.isRunning !== true) {
          return;
        }
        // One that an earlier supervisor has left says what it measured long ago.
        await removeContainer(docker, name);
        isCreated = true;
        await startWatcher(context, job, name, over.signal);
        await readSizes(docker, name, over.signal, (bytes) => {
          if (bytes > limits.workspaceMaxBytes && !over.signal.aborted) {
            logger.warn("a job's volume is full", { ...job, bytes });
            onFull();
            over.abort();
          }
        });
      } catch (error) {
        if (!over.signal.aborted) {
          logger.warn("a job's volume is not watched", { ...job, error: String(error) });
        }
      }
      await sleep(AGAIN_MS, undefined, { signal: over.signal });
    }
  }
  const done = watch().catch(() => {});

  return {
    async stop(how) {
      over.abort();
      await done;
      if (isCreated && how !== "leave") {
        isCreated = false;
        await removeContainer(docker, name).catch((error: unknown) =>
          logger.warn("a watcher's container could not be removed", { name, error: String(error) }),
        );
      }
    },
  };
}

async function startWatcher(
  { docker, deploymentId, image }: DockerContext,
  job: JobName,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const create = (abortSignal: AbortSignal) =>
    docker.createContainer({
      name,
      Image: image,
      ...PLAIN,
      Cmd: ["sh", "-c", SCRIPT],
      User: "0:0",
      WorkingDir: "/",
      Labels: { ...labelsOf(deploymentId, "watch", job) },
      HostConfig: {
        ...CONFINED,
        CapAdd: ["DAC_READ_SEARCH"],
        Memory: MEMORY_BYTES,
        MemorySwap: MEMORY_BYTES,
        PidsLimit: 16,
        Mounts: [
          volumeMount(objectName(deploymentId, job), JOB_ROOT, labelsOf(deploymentId, "job", job), {
            readOnly: true,
          }),
        ],
        LogConfig: {
          Type: "local",
          Config: { "max-size": "20m", "max-file": "1", compress: "false" },
        },
      },
      abortSignal,
    });
  const container = await askEngine("create a container", create, { signal });
  await askEngine("start a container", (abortSignal) => container.start({ abortSignal }), {
    signal,
  });
}

async function readSizes(
  docker: Docker,
  name: string,
  signal: AbortSignal,
  onSize: (bytes: number) => void,
): Promise<void> {
  const frames = new Frames();
  const lines = new LineCutter((line) => {
    const kilobytes = /^(\d+)\s/.exec(line)?.[1];
    if (kilobytes !== undefined) {
      onSize(Number(kilobytes) * 1024);
    }
  }, 1024);
  for await (const piece of await openLog(docker, name, { follow: true, signal })) {
    lines.push(frames.push(piece as Buffer).stdout);
  }
}
