import type Docker from "dockerode";
import type { JobSpec } from "../../ports/job-runtime.ts";
import { askEngine } from "./ask-engine.ts";
import { containerState, engineStatus } from "./container-state.ts";
import type { DockerContext } from "./docker-options.ts";
import { hasSecrets } from "./give-secrets.ts";
import { JOB_ROOT } from "./job-file.ts";
import { labelsOf, objectName } from "./job-objects.ts";
import { JOB_USER } from "./tar/pack-folder.ts";
import { volumeMount } from "./volume-mount.ts";

const CONFLICT = 409;
/** A container of that name is being removed: its name is free in a moment. */
const TRIES = 20;
const AGAIN_MS = 250;

/** What all our containers have in common: no rights, no network, nothing to write to. */
export const CONFINED = {
  CapDrop: ["ALL"],
  SecurityOpt: ["no-new-privileges"],
  NetworkMode: "none",
  IpcMode: "private",
  ReadonlyRootfs: true,
  Init: true,
  AutoRemove: false,
  RestartPolicy: { Name: "no" },
} satisfies Docker.HostConfig;

/** An image's own ideas of what runs in it, and how it is watched and ended. */
export const PLAIN = {
  Entrypoint: [] as string[],
  StopSignal: "SIGTERM",
  Healthcheck: { Test: ["NONE"] as string[] },
};

/**
 * The container of a job and its volume, under one name and not started. One that is there already
 * is taken as it is: somebody of this deployment has made it for the same attempt, and `onOthers` is
 * told so.
 *
 * The engine's log keeps every byte until the job is removed. It is as large as what may be written
 * to it takes up at most, with the engine's own bytes per line; it rotates only when `output_full`
 * would have ended the job already, had anyone looked.
 */
export async function createContainer(
  { docker, deploymentId, image, limits, networkMode }: DockerContext,
  spec: JobSpec,
  {
    door,
    signal,
    onOthers,
  }: {
    /** The attempt's way to its gateway. */
    readonly door: Docker.MountSettings;
    readonly signal: AbortSignal;
    readonly onOthers: (isThere: boolean) => void;
  },
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const name = objectName(deploymentId, spec);
  const labels = labelsOf(deploymentId, "job", spec);
  await askEngine(
    "create a volume",
    (abortSignal) => docker.createVolume({ Name: name, Labels: { ...labels }, abortSignal }),
    { signal },
  );
  for (let tries = 0; ; tries++) {
    try {
      const container = await askEngine(
        "create a container",
        (abortSignal) =>
          docker.createContainer({
            name,
            Image: image,
            ...PLAIN,
            Cmd: ["speckit-job"],
            WorkingDir: JOB_ROOT,
            User: `${JOB_USER}:${JOB_USER}`,
            ...(hasSecrets(spec) ? { AttachStdin: true, OpenStdin: true, StdinOnce: true } : {}),
            Labels: { ...labels },
            HostConfig: {
              ...CONFINED,
              ...(networkMode === undefined ? {} : { NetworkMode: networkMode }),
              Memory: limits.memoryBytes,
              MemorySwap: limits.memoryBytes,
              NanoCpus: Math.round(limits.cpus * 1e9),
              PidsLimit: limits.pids,
              Ulimits: [
                { Name: "core", Soft: 0, Hard: 0 },
                { Name: "nofile", Soft: limits.openFiles, Hard: limits.openFiles },
              ],
              Tmpfs: { "/tmp": `rw,nosuid,nodev,exec,mode=1777,size=${limits.tmpBytes}` },
              Mounts: [volumeMount(name, JOB_ROOT, labels), door],
              LogConfig: {
                Type: "local",
                Config: {
                  "max-size": String(2 * limits.outputMaxBytes + LOG_SLACK_BYTES),
                  "max-file": "1",
                  compress: "false",
                },
              },
            },
            abortSignal,
          }),
        { signal },
      );
      onOthers(false);
      return { id: container.id, isNew: true };
    } catch (error) {
      if (engineStatus(error) !== CONFLICT || tries === TRIES) {
        throw error;
      }
      onOthers(true);
    }
    const there = await containerState(docker, name, signal);
    if (there !== undefined) {
      return { id: there.id, isNew: there.isNew };
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** What an entry of the log takes on the engine's disk besides its bytes. */
export const FRAME_BYTES = 64;
/** A job is ended when its log takes up twice what its output may; the rest is for what comes meanwhile. */
const LOG_SLACK_BYTES = 2 * 1024 ** 3;
