import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  symlinkSync,
  write,
  writeSync,
} from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { isSpeckitError, SpeckitError } from "../../../domain/speckit-error.ts";
import type { JobExit } from "../../../ports/job-runtime.ts";
import { OpenFolders } from "./open-folders.ts";
import { readTar } from "./read-tar.ts";
import type { TarEntry } from "./tar-header.ts";

export interface UnpackLimits {
  readonly workspaceMaxBytes: number;
  readonly workspaceMaxEntries: number;
}

type LeftOut = NonNullable<JobExit["leftOut"]>;

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Deeper or longer than this is no source tree. */
const MAX_DEPTH = 200;
const MAX_PATH_BYTES = 2_000;
const LEFT_OUT_MAX = 100;
/** Larger files are written in the background. */
const SYNC_MAX_BYTES = 1024 * 1024;

const writeAsync = promisify(write);

/**
 * Puts what an agent left in the place of its local workspace. All of it is the agent's: names,
 * kinds, sizes, the order. So only regular files, folders, hard links and symlinks are made, each one
 * new, in folders that were made here, and no symlink is ever followed. Sizes and counts are checked
 * before anything is written. Owners, times and all modes but "executable" stay behind.
 *
 * Of `.git` only `HEAD` and the refs are kept: nothing else of it is ever read.
 *
 * @param top the folder's name in the archive
 * @returns what was left out; undefined when there is no such folder: then there is no workspace
 * @throws SpeckitError `WORKSPACE_TOO_LARGE`, `DISK_FULL`, `ENGINE_FAILED` for an archive no engine makes
 */
export async function unpackWorkspace(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  {
    root,
    top,
    limits,
  }: { readonly root: string; readonly top: string; readonly limits: UnpackLimits },
): Promise<LeftOut | undefined> {
  await rm(root, { recursive: true, force: true });
  const leftOut: { readonly path: string; readonly what: string }[] = [];
  let folders: OpenFolders | undefined;
  let seen = 0;
  let bytes = 0;
  let file: NewFile | undefined;

  function leave(path: readonly string[], what: string): false {
    if (leftOut.length < LEFT_OUT_MAX) {
      leftOut.push({ path: Buffer.from(path.join("/"), "latin1").toString("utf8"), what });
    }
    return false;
  }

  function count(size: number): void {
    bytes += size;
    if (bytes > limits.workspaceMaxBytes) {
      throw tooLarge(`more than ${limits.workspaceMaxBytes} bytes`);
    }
  }

  async function begin(entry: TarEntry): Promise<boolean> {
    const path = namesOf(entry.name, top);
    const name = path.at(-1);
    if (name === undefined) {
      if (entry.type === "folder" && folders === undefined) {
        await mkdir(root, { recursive: true });
        folders = new OpenFolders(root);
      }
      return false;
    }
    if (folders === undefined) {
      throw outside(entry.name);
    }
    seen += 1;
    if (seen > limits.workspaceMaxEntries) {
      throw tooLarge(`more than ${limits.workspaceMaxEntries} files`);
    }
    if (isUnreadPartOfGit(path)) {
      return false;
    }
    if (path.length > MAX_DEPTH || entry.name.length > MAX_PATH_BYTES) {
      return leave(path, `a path of ${entry.name.length} bytes`);
    }
    const place = folders.pathIn(path.slice(0, -1), name);
    switch (entry.type) {
      case "folder":
        mkdirSync(place);
        return false;
      case "file":
        count(entry.bytes);
        file = {
          fd: openSync(place, NEW_FILE, (entry.mode & 0o100) === 0 ? 0o644 : 0o755),
          isLarge: entry.bytes > SYNC_MAX_BYTES,
        };
        return true;
      case "symlink":
        count(entry.target.length);
        symlinkSync(Buffer.from(entry.target, "latin1"), place);
        return false;
      case "link":
        return copyLink(folders, namesOf(entry.target, top), path);
      case "fifo":
        return leave(path, "a named pipe");
      case "device":
        return leave(path, "a device");
      case "other":
        return leave(path, "something that is no file");
    }
  }

  /** A second name of a file that came before, as a file of its own; of what was left out, nothing. */
  async function copyLink(open: OpenFolders, from: readonly string[], path: readonly string[]) {
    const source = openFile(open.pathIn(from.slice(0, -1), from.at(-1) ?? "."));
    if (source === undefined) {
      return leave(path, "a hard link to what is no file");
    }
    try {
      const { size, mode } = fstatSync(source);
      count(size);
      file = {
        fd: openSync(open.pathIn(path.slice(0, -1), path.at(-1) ?? "."), NEW_FILE, mode & 0o777),
        isLarge: size > SYNC_MAX_BYTES,
      };
      const piece = Buffer.allocUnsafe(Math.min(Math.max(size, 1), SYNC_MAX_BYTES));
      for (let read = readSync(source, piece); read > 0; read = readSync(source, piece)) {
        await writePiece(file, piece.subarray(0, read));
      }
    } finally {
      close();
      closeSync(source);
    }
    return false;
  }

  function close(): void {
    if (file !== undefined) {
      closeSync(file.fd);
      file = undefined;
    }
  }

  try {
    await readTar(pieces, {
      onEntry: begin,
      onContent: (piece) => writePiece(file, piece),
      onEnd: close,
    });
  } catch (error) {
    throw unpackError(error);
  } finally {
    close();
    folders?.[Symbol.dispose]();
  }
  return folders === undefined ? undefined : leftOut;
}

/** Names from the folder on; empty for the folder itself. @throws for what lies outside */
function namesOf(name: string, top: string): readonly string[] {
  const [first, ...names] = name.replace(/\/+$/, "").split("/");
  if (first !== top || names.some((part) => part === "" || part === "." || part === "..")) {
    throw outside(name);
  }
  return names;
}

function isUnreadPartOfGit([first, second]: readonly string[]): boolean {
  return (
    first === ".git" && second !== undefined && !["HEAD", "packed-refs", "refs"].includes(second)
  );
}

function openFile(place: Buffer): number | undefined {
  try {
    const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) {
      return fd;
    }
    closeSync(fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ELOOP" && code !== "ENXIO") {
      throw error;
    }
  }
  return undefined;
}

interface NewFile {
  readonly fd: number;
  readonly isLarge: boolean;
}

/** @returns a promise only where there is something to wait for */
function writePiece(file: NewFile | undefined, piece: Buffer): Promise<void> | undefined {
  if (file === undefined) {
    return undefined;
  }
  if (file.isLarge) {
    return writeLater(file.fd, piece);
  }
  for (let at = 0; at < piece.length; ) {
    at += writeSync(file.fd, piece, at);
  }
  return undefined;
}

async function writeLater(fd: number, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; ) {
    const { bytesWritten } = await writeAsync(fd, piece, at);
    at += bytesWritten;
  }
}

function tooLarge(found: string): SpeckitError {
  return new SpeckitError("WORKSPACE_TOO_LARGE", `The workspace has ${found}`);
}

function outside(name: string): SpeckitError {
  const shown = JSON.stringify(Buffer.from(name, "latin1").toString("utf8").slice(0, 300));
  return new SpeckitError("ENGINE_FAILED", `The engine's archive names a place outside: ${shown}`);
}

/** A system call that failed: for want of space, or for a name that the archive has twice or not at all. */
function unpackError(error: unknown): unknown {
  const { code, syscall } = Object(error) as {
    readonly code?: unknown;
    readonly syscall?: unknown;
  };
  if (isSpeckitError(error) || typeof code !== "string" || typeof syscall !== "string") {
    return error;
  }
  return code === "ENOSPC" || code === "EDQUOT"
    ? new SpeckitError("DISK_FULL", "No space left for a workspace", { cause: error })
    : new SpeckitError(
        "ENGINE_FAILED",
        `A workspace could not be unpacked: ${syscall} said ${code}`,
        {
          cause: error,
        },
      );
}
