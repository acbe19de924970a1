import { randomUUID } from "node:crypto";
import { access, constants, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Diagnosis, fine, problem, warning } from "../../ports/diagnosis.ts";
import { freeSpaceOf } from "./free-space.ts";

const GIBIBYTE = 1024 ** 3;

/**
 * Looks at the folder of artifacts, caches and workspaces. It is left as it was; one that is not there is not made.
 *
 * @param freeBytesFloor with less than that free, workers begin no runs
 */
export async function diagnoseStateFolder(
  folder: string,
  freeBytesFloor: number,
): Promise<readonly Diagnosis[]> {
  const there = await nearestFolder(folder);
  const found = await (there === folder ? lookAtFolder(folder) : lookAtParent(folder, there));
  return [found, await lookAtSpace(there, freeBytesFloor)];
}

/** The folder itself, or the one in which its first missing part would be made. */
async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      () => false,
    );
    if (isThere || at === dirname(at)) {
      return at;
    }
  }
}

async function lookAtFolder(folder: string): Promise<Diagnosis> {
  const { mode, uid } = await stat(folder);
  const name = join(folder, `.speckit-doctor-${randomUUID()}`);
  try {
    const file = await open(name, "wx", 0o600);
    try {
      await file.write("speckit");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(name, `${name}.renamed`);
  } catch (error) {
    return unwritable(folder, error);
  } finally {
    await rm(name, { force: true }).catch(() => undefined);
    await rm(`${name}.renamed`, { force: true }).catch(() => undefined);
  }
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  if ((mode & 0o022) !== 0) {
    return problem(
      "state.folder",
      `${folder} has mode ${shown}: others may change what runs work on`,
      `chmod 700 ${folder}`,
    );
  }
  const owner = process.getuid?.();
  return owner === undefined || uid === owner
    ? fine("state.folder", `${folder} takes files`)
    : warning("state.folder", `${folder} belongs to user ${uid}, this is user ${owner}`);
}

async function lookAtParent(folder: string, parent: string): Promise<Diagnosis> {
  try {
    if (!(await stat(parent)).isDirectory()) {
      return problem("state.folder", `${folder} cannot be made: ${parent} is no folder`);
    }
    await access(parent, constants.W_OK | constants.X_OK);
    return fine("state.folder", `${folder} is not there yet, and can be made`);
  } catch (error) {
    return unwritable(folder, error);
  }
}

function unwritable(folder: string, error: unknown): Diagnosis {
  const { code, message } = error as NodeJS.ErrnoException;
  return problem("state.folder", `${folder} takes no files: ${code ?? message}`);
}

async function lookAtSpace(folder: string, floor: number): Promise<Diagnosis> {
  const free = await freeSpaceOf(folder)();
  const found = `${inGibibytes(free)} are free at ${folder}`;
  if (free < floor) {
    const why = `less than ${inGibibytes(floor)}: workers begin no runs`;
    return problem("state.space", `${found}, ${why}`);
  }
  return free < 2 * floor ? warning("state.space", found) : fine("state.space", found);
}

function inGibibytes(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
}
