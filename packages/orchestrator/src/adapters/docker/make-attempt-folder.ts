import { randomUUID } from "node:crypto";
import { posix } from "node:path";
import type Docker from "dockerode";
import { ATTEMPT_FOLDERS, attemptFolder } from "../../domain/attempt-folder.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import { askEngine } from "./ask-engine.ts";
import { isMissing } from "./container-state.ts";
import { CONFINED, PLAIN } from "./create-container.ts";
import type { DockerContext } from "./docker-options.ts";
import { ownerOfFolders, type WayIn, wayThroughGateway } from "./gateway-folders.ts";
import { GATEWAY_FOLDER } from "./job-file.ts";
import { labelsOf, namePrefix } from "./job-objects.ts";
import { removeContainer } from "./remove-job.ts";
import { END_OF_ARCHIVE, tarHeader } from "./tar/tar-header.ts";
import { volumeMount } from "./volume-mount.ts";

/** A container that has the gateway's volume may be removed under our hands: then another one is looked for. */
const TRIES = 3;

/** Whom the folders of a gateway belong to, by its container's id: an archive call costs the engine a process. */
export type FolderOwners = Map<string, number>;

/**
 * Makes an attempt's folder in the gateway's volume, where the gateway listens for this attempt's job alone. It goes
 * in through a container that can write to the volume, as a rule the gateway's own. One that is there already stays as
 * it is.
 *
 * @param owners of the gateway that was asked last; kept up to date here
 * @throws SpeckitError `GATEWAY_TOO_OLD` where no gateway has said that it listens there; of the engine
 */
export async function makeAttemptFolder(
  context: Pick<DockerContext, "docker" | "deploymentId" | "image" | "gatewayVolume">,
  owners: FolderOwners,
  job: JobName,
  signal: AbortSignal,
): Promise<void> {
  const { docker, gatewayVolume } = context;
  for (let tries = 1; ; tries++) {
    const way = (await wayThroughGateway(context, signal)) ?? (await wayOfOurOwn(context, signal));
    try {
      const owner = owners.get(way.containerId) ?? (await ownerOfFolders(docker, way, signal));
      if (owner !== undefined) {
        await putFolder(docker, way, { job, owner, signal });
        if (!way.isOurs) {
          owners.clear();
          owners.set(way.containerId, owner);
        }
        return;
      }
      if (way.isOurs || (await isThere(docker, way, signal))) {
        throw new SpeckitError(
          "GATEWAY_TOO_OLD",
          `No gateway has said in the volume ${gatewayVolume} that it has a socket for each attempt`,
        );
      }
    } catch (error) {
      if (!isMissing(error) || tries === TRIES) {
        throw error;
      }
    } finally {
      if (way.isOurs) {
        await removeContainer(docker, way.containerId);
      }
    }
  }
}

/** A container that is never started: the gateway is none of this engine's. */
async function wayOfOurOwn(
  {
    docker,
    deploymentId,
    image,
    gatewayVolume,
  }: Pick<DockerContext, "docker" | "deploymentId" | "image" | "gatewayVolume">,
  signal: AbortSignal,
): Promise<WayIn> {
  const labels = labelsOf(deploymentId, "gateway");
  const { id } = await askEngine(
    "create a container",
    (abortSignal) =>
      docker.createContainer({
        name: `${namePrefix(deploymentId)}-ask-${randomUUID().slice(0, 8)}`,
        Image: image,
        ...PLAIN,
        Cmd: ["true"],
        Labels: { ...labelsOf(deploymentId, "ask") },
        HostConfig: {
          ...CONFINED,
          Mounts: [volumeMount(gatewayVolume, GATEWAY_FOLDER, labels, { isFilled: false })],
        },
        abortSignal,
      }),
    { signal },
  );
  return { containerId: id, at: GATEWAY_FOLDER, isOurs: true };
}

async function putFolder(
  docker: Docker,
  { containerId, at }: WayIn,
  {
    job,
    owner,
    signal,
  }: { readonly job: JobName; readonly owner: number; readonly signal: AbortSignal },
): Promise<void> {
  const mtimeSeconds = Math.floor(Date.now() / 1000);
  const about = { type: "folder", mode: 0o755, owner, mtimeSeconds } as const;
  const archive = Buffer.concat([
    tarHeader({ ...about, name: `${attemptFolder(job)}/` }),
    END_OF_ARCHIVE,
  ]);
  await askEngine(
    "make an attempt's folder for its gateway",
    (abortSignal) =>
      docker
        .getContainer(containerId)
        .putArchive(archive, { path: posix.join(at, ATTEMPT_FOLDERS), abortSignal }),
    { signal },
  );
}

async function isThere(
  docker: Docker,
  { containerId }: WayIn,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await askEngine(
      "look at a container",
      (abortSignal) => docker.getContainer(containerId).inspect({ abortSignal }),
      { signal },
    );
    return true;
  } catch (error) {
    if (isMissing(error)) {
      return false;
    }
    throw error;
  }
}
