import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { askEngine } from "./ask-engine.ts";
import { containerState } from "./container-state.ts";
import { CONFINED, PLAIN } from "./create-container.ts";
import { labelsOf, namePrefix } from "./job-objects.ts";
import { Frames } from "./output/frames.ts";
import { openLog } from "./output/open-log.ts";
import { removeContainer } from "./remove-job.ts";
import { JOB_USER } from "./tar/pack-folder.ts";

const MEMORY_BYTES = 512 * 1024 * 1024;
const TMP_BYTES = 64 * 1024 * 1024;
const ASK_MS = 10_000;
const LOOK_MS = 50;
const FORGOTTEN_MS = 600_000;
const ANSWER_MAX_BYTES = 64 * 1024;

/** What a command printed in a container of its own. */
export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
}

/**
 * Runs a short command in a throw-away container of an image, confined as jobs are, with `/tmp` for
 * its HOME. One whose worker dies meanwhile is removed
 * by the next that asks.
 *
 * @returns undefined when it took longer than ten seconds
 * @throws SpeckitError of the engine, `IMAGE_UNUSABLE` when there is no such command
 */
export async function askInContainer(
  docker: Docker,
  deploymentId: string,
  image: string,
  argv: readonly string[],
): Promise<Answer | undefined> {
  await removeForgotten(docker, deploymentId);
  const name = `${namePrefix(deploymentId)}-ask-${randomUUID().slice(0, 8)}`;
  const container = await askEngine("create a container", (abortSignal) =>
    docker.createContainer({
      name,
      Image: image,
      ...PLAIN,
      Cmd: [...argv],
      Env: ["HOME=/tmp", "LANG=C.UTF-8", "TMPDIR=/tmp"],
      User: `${JOB_USER}:${JOB_USER}`,
      WorkingDir: "/tmp",
      Labels: { ...labelsOf(deploymentId, "ask") },
      HostConfig: {
        ...CONFINED,
        Memory: MEMORY_BYTES,
        MemorySwap: MEMORY_BYTES,
        PidsLimit: 64,
        Tmpfs: { "/tmp": `rw,nosuid,nodev,exec,mode=1777,size=${TMP_BYTES}` },
        LogConfig: {
          Type: "local",
          Config: { "max-size": "1m", "max-file": "1", compress: "false" },
        },
      },
      abortSignal,
    }),
  );
  try {
    await askEngine("start a container", (abortSignal) => container.start({ abortSignal }));
    const startedMs = performance.now();
    for (;;) {
      const state = await containerState(docker, container.id);
      if (state !== undefined && !state.isRunning) {
        return { exitCode: state.exitCode, stdout: await stdoutOf(docker, container.id) };
      }
      if (state === undefined || performance.now() - startedMs > ASK_MS) {
        return undefined;
      }
      await sleep(LOOK_MS);
    }
  } finally {
    await removeContainer(docker, container.id);
  }
}

async function removeForgotten(docker: Docker, deploymentId: string): Promise<void> {
  const label = Object.entries(labelsOf(deploymentId, "ask")).map((pair) => pair.join("="));
  const there = await askEngine("list containers", (abortSignal) =>
    docker.listContainers({ all: true, filters: { label }, abortSignal }),
  );
  for (const { Id, Created } of there) {
    if (Date.now() - Created * 1000 > FORGOTTEN_MS) {
      await removeContainer(docker, Id);
    }
  }
}

async function stdoutOf(docker: Docker, containerId: string): Promise<string> {
  const frames = new Frames();
  const pieces: Buffer[] = [];
  let bytes = 0;
  const signal = AbortSignal.timeout(ASK_MS);
  for await (const piece of await openLog(docker, containerId, { follow: false, signal })) {
    const { stdout } = frames.push(piece as Buffer);
    if (bytes < ANSWER_MAX_BYTES) {
      pieces.push(Buffer.from(stdout));
    }
    bytes += stdout.length;
  }
  return Buffer.concat(pieces).toString("utf8", 0, Math.min(bytes, ANSWER_MAX_BYTES));
}
