import { posix } from "node:path";
import type Docker from "dockerode";
import { ATTEMPT_FOLDERS, SERVED_FILE, type ServedFolders } from "../../domain/attempt-folder.ts";
import { askEngine } from "./ask-engine.ts";
import { isMissing } from "./container-state.ts";
import type { DockerContext } from "./docker-options.ts";
import { readTexts } from "./tar/read-texts.ts";

const SERVED_MAX_BYTES = 4_096;

/** A container through which the engine's archive calls lead into the gateway's volume. */
export interface WayIn {
  readonly containerId: string;
  /** Where the volume is in it. */
  readonly at: string;
  readonly isOurs: boolean;
}

/** Through the running gateway's own container, where it is one of this engine. */
export async function wayThroughGateway(
  { docker, gatewayVolume }: Pick<DockerContext, "docker" | "gatewayVolume">,
  signal: AbortSignal,
): Promise<WayIn | undefined> {
  const filters = { volume: [gatewayVolume] };
  const there = await askEngine(
    "list containers",
    (abortSignal) => docker.listContainers({ filters, abortSignal }),
    { signal },
  );
  for (const { Id, Mounts } of there) {
    // Jobs have it, or a part of it, read-only.
    const mount = Mounts.find(({ Name, RW }) => Name === gatewayVolume && RW);
    if (mount !== undefined) {
      return { containerId: Id, at: mount.Destination, isOurs: false };
    }
  }
  return undefined;
}

/** @returns the number of the gateway's user; undefined where there is no word of it, or no container any more */
export async function ownerOfFolders(
  docker: Docker,
  { containerId, at }: WayIn,
  signal: AbortSignal,
): Promise<number | undefined> {
  const path = posix.join(at, ATTEMPT_FOLDERS, SERVED_FILE);
  try {
    return await askEngine(
      "read what the gateway says of its folders",
      async (abortSignal) => {
        const archive = await docker.getContainer(containerId).getArchive({ path, abortSignal });
        const { files } = await readTexts(
          archive as AsyncIterable<Uint8Array> & NodeJS.ReadableStream,
          "",
          SERVED_MAX_BYTES,
        );
        const { v, uid } = JSON.parse(files[0]?.content ?? "{}") as Partial<ServedFolders>;
        return v === 1 && Number.isSafeInteger(uid) ? uid : undefined;
      },
      { signal },
    );
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
