import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { askEngine } from "./ask-engine.ts";
import { containerState } from "./container-state.ts";
import { CONFINED, PLAIN } from "./create-container.ts";
import { GATEWAY_FOLDER } from "./job-file.ts";
import { labelsOf, namePrefix } from "./job-objects.ts";
import { readGatewayLog } from "./read-gateway-log.ts";
import { removeContainer } from "./remove-job.ts";
import { volumeMount } from "./volume-mount.ts";

const LOOK_MS = 50;
const WITHIN_MS = 30_000;
const MEMORY_BYTES = 128 * 1024 * 1024;

/**
 * Makes a volume's root the user's, who may write there then: a new one is root's, unless the image
 * of whoever mounts it first has a folder of that name. A container of a moment does it, with the one
 * right that it takes; the gateway itself never has any.
 */
export async function giveVolumeTo(
  docker: Docker,
  {
    deploymentId,
    image,
    volume,
    user,
  }: {
    readonly deploymentId: string;
    /** Has `node` in its PATH. */
    readonly image: string;
    readonly volume: string;
    readonly user: number;
  },
): Promise<void> {
  const script = `require("node:fs").chownSync(${JSON.stringify(GATEWAY_FOLDER)}, ${user}, ${user})`;
  const container = await askEngine("create a container", (abortSignal) =>
    docker.createContainer({
      name: `${namePrefix(deploymentId)}-ask-${randomUUID().slice(0, 8)}`,
      Image: image,
      ...PLAIN,
      Cmd: ["node", "-e", script],
      User: "0:0",
      WorkingDir: "/",
      Labels: { ...labelsOf(deploymentId, "ask") },
      HostConfig: {
        ...CONFINED,
        CapAdd: ["CHOWN"],
        Memory: MEMORY_BYTES,
        MemorySwap: MEMORY_BYTES,
        PidsLimit: 32,
        Mounts: [
          volumeMount(volume, GATEWAY_FOLDER, labelsOf(deploymentId, "gateway"), {
            isFilled: false,
          }),
        ],
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
    const endMs = performance.now() + WITHIN_MS;
    for (;;) {
      const state = await containerState(docker, container.id);
      if (state !== undefined && !state.isRunning) {
        if (state.exitCode === 0) {
          return;
        }
        const { lastWords } = await readGatewayLog(docker, container.id);
        throw new SpeckitError(
          "GATEWAY_NOT_STARTED",
          `The volume ${volume} could not be given to the user ${user}: ${lastWords}`,
        );
      }
      if (state === undefined || performance.now() > endMs) {
        throw new SpeckitError(
          "GATEWAY_NOT_STARTED",
          `The volume ${volume} was not given to the user ${user} in time`,
        );
      }
      await sleep(LOOK_MS);
    }
  } finally {
    await removeContainer(docker, container.id);
  }
}
