import { Readable } from "node:stream";
import type Docker from "dockerode";
import type { JobSpec } from "../../ports/job-runtime.ts";
import { ProgressDeadline } from "./ask-engine.ts";
import { engineError } from "./docker-errors.ts";
import { belowHome, JOB_FILE, JOB_ROOT, STDIN_FILE } from "./job-file.ts";
import { packArchive } from "./tar/pack-archive.ts";
import { JOB_USER, packFile, packFolder } from "./tar/pack-folder.ts";
import { END_OF_ARCHIVE, tarHeader } from "./tar/tar-header.ts";

/** The engine writes what it was sent before it answers: on a slow disk that takes a while. */
const STALL_MS = 120_000;

/**
 * Fills the volume of a container that was not started yet. The job's own file comes last: without
 * it, an archive that was cut off starts nothing.
 *
 * @throws SpeckitError of the engine; the caller's own reason when `signal` aborts
 */
export async function bringIn(
  docker: Docker,
  containerId: string,
  {
    spec,
    jobFile,
    signal,
  }: {
    readonly spec: JobSpec;
    readonly jobFile: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  using deadline = new ProgressDeadline("take in a workspace", STALL_MS, signal);
  const doing = "take in a workspace";
  let packFailed: { readonly error: unknown } | undefined;
  async function* pieces(): AsyncGenerator<Buffer> {
    try {
      for await (const piece of archiveOf(spec, jobFile)) {
        deadline.moved();
        yield piece;
      }
    } catch (error) {
      packFailed = { error };
      throw error;
    }
  }
  const archive = Readable.from(pieces(), { objectMode: false, highWaterMark: 1024 * 1024 });
  try {
    signal.throwIfAborted();
    await docker
      .getContainer(containerId)
      .putArchive(archive, { path: JOB_ROOT, abortSignal: deadline.signal });
  } catch (error) {
    if (deadline.signal.aborted) {
      throw deadline.signal.reason;
    }
    throw packFailed === undefined ? engineError(error, doing) : packFailed.error;
  } finally {
    archive.destroy();
  }
}

async function* archiveOf(spec: JobSpec, jobFile: string): AsyncGenerator<Buffer> {
  if (spec.packed !== undefined) {
    yield* packArchive(spec.packed.archive);
  }
  yield* packFolder(spec.packed?.folder ?? spec.workspace, "workspace");
  yield* packFolder(spec.home, "home");
  const made = new Set<string>();
  for (const { path, content } of spec.files) {
    const below = belowHome(path);
    yield* foldersOf(below, made);
    yield packFile(`home/${below}`, content);
  }
  yield packFile(STDIN_FILE, spec.stdin);
  yield packFile(JOB_FILE, jobFile);
  yield END_OF_ARCHIVE;
}

/** The folders a file is in; the engine would make missing ones for root alone. */
function* foldersOf(path: string, made: Set<string>): Generator<Buffer> {
  const names = path.split("/").slice(0, -1);
  for (const ix of names.keys()) {
    const folder = names.slice(0, ix + 1).join("/");
    if (!made.has(folder)) {
      made.add(folder);
      const mtimeSeconds = Math.floor(Date.now() / 1000);
      const about = { mode: 0o700, owner: JOB_USER, mtimeSeconds };
      yield tarHeader({ ...about, type: "folder", name: `home/${folder}/` });
    }
  }
}
