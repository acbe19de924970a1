import { posix } from "node:path";
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import type { JobExit, JobFolders, JobSpec, KeptFile } from "../../ports/job-runtime.ts";
import { KEPT_MAX_BYTES } from "../supervision/kept-limit.ts";
import { ProgressDeadline } from "./ask-engine.ts";
import { isMissing } from "./container-state.ts";
import { engineError } from "./docker-errors.ts";
import { belowHome, FOLDERS_IN_JOB } from "./job-file.ts";
import { readTexts } from "./tar/read-texts.ts";
import { type UnpackLimits, unpackWorkspace } from "./tar/unpack-workspace.ts";

/**
 * Brings what an ended job has left to this machine: its workspace into the place of the local one,
 * and the files it was asked to keep of its HOME. The engine resolves names inside the container
 * only, and nothing runs there any more.
 *
 * @throws SpeckitError of the engine, or of {@link unpackWorkspace}
 */
export async function bringBack(
  docker: Docker,
  containerId: string,
  {
    folders,
    keep,
    limits,
    signal,
  }: {
    readonly folders: JobFolders;
    readonly keep: JobSpec["keep"];
    readonly limits: UnpackLimits;
    readonly signal: AbortSignal;
  },
): Promise<Pick<JobExit, "kept" | "leftOut">> {
  const options = { root: folders.workspace, top: "workspace", limits };
  const leftOut = await fromArchive(
    docker,
    containerId,
    FOLDERS_IN_JOB.workspace,
    signal,
    (pieces) => unpackWorkspace(pieces, options),
  );
  const kept = keep === undefined ? undefined : await keptFiles(docker, containerId, keep, signal);
  return {
    ...(leftOut === undefined || leftOut.length === 0 ? {} : { leftOut }),
    ...(kept === undefined ? {} : { kept }),
  };
}

async function keptFiles(
  docker: Docker,
  containerId: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<readonly KeptFile[]> {
  const kept: KeptFile[] = [];
  let leftBytes = KEPT_MAX_BYTES;
  for (const folder of folders.map(belowHome)) {
    const path = posix.join(FOLDERS_IN_JOB.home, folder);
    const found = await fromArchive(docker, containerId, path, signal, (pieces) =>
      readTexts(pieces, folder, leftBytes),
    );
    kept.push(...found.files);
    leftBytes = found.leftBytes;
  }
  return kept;
}

/** Hands on the archive of a path in the container; an empty one where there is no such path. */
async function fromArchive<T>(
  docker: Docker,
  containerId: string,
  path: string,
  signal: AbortSignal,
  use: (pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const doing = "give back what a job has left";
  using deadline = new ProgressDeadline(doing, undefined, signal);
  let archive: Readable | undefined;
  let engineFailed: { readonly error: unknown } | undefined;
  async function* pieces(from: Readable): AsyncGenerator<Uint8Array> {
    try {
      deadline.moved();
      for await (const piece of from) {
        deadline.hold();
        yield piece;
        deadline.moved();
      }
    } catch (error) {
      engineFailed = { error };
      throw error;
    }
  }
  try {
    signal.throwIfAborted();
    const stream = await docker
      .getContainer(containerId)
      .getArchive({ path, abortSignal: deadline.signal });
    archive = stream as Readable;
    deadline.hold();
    return await use(pieces(archive));
  } catch (error) {
    if (deadline.signal.aborted) {
      throw deadline.signal.reason;
    }
    if (archive === undefined && isMissing(error)) {
      return await use([EMPTY_ARCHIVE]);
    }
    if (archive === undefined || engineFailed !== undefined) {
      throw engineError(engineFailed?.error ?? error, doing);
    }
    throw error;
  } finally {
    archive?.destroy();
  }
}

const EMPTY_ARCHIVE = new Uint8Array(1024);
