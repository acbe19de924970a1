import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { Writable } from "node:stream";
import { execa } from "execa";

/** The history's bulk, in files that the last commit has no more. */
const PAST_FILE_BYTES = 1_000_000;
const FILE_BYTES = 2_000;
const FILES_PER_FOLDER = 25;
const FOLDERS_PER_MODULE = 10;
/** Commits of one second each, from here on. */
const FIRST_SECONDS = 1_767_225_600;

/**
 * A bare repository with so many small files and so many bytes of history, made by `git fast-import`.
 * Its content is random: nothing can be compressed or told as a difference, and nobody tries.
 *
 * @returns the id of its one branch's commit, `main`
 */
export async function makeLargeRepository(
  folder: string,
  { files, historyBytes }: { readonly files: number; readonly historyBytes: number },
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await execa("git", ["init", "--quiet", "--bare", "--initial-branch=main"], { cwd: folder });
  const storeOnly = ["-c", "core.compression=0", "-c", "pack.compression=0"];
  const child = execa("git", [...storeOnly, "fast-import", "--quiet", "--depth=0"], {
    cwd: folder,
    stdin: "pipe",
  });
  try {
    await writeHistory(child.stdin, files, historyBytes);
  } catch (error) {
    child.kill();
    await child.catch(() => {});
    throw error;
  }
  child.stdin.end();
  await child;
  const { stdout } = await execa("git", ["rev-parse", "main"], { cwd: folder });
  return stdout;
}

async function writeHistory(stdin: Writable, files: number, historyBytes: number): Promise<void> {
  const write = async (data: string | Buffer): Promise<void> => {
    if (!stdin.write(data)) {
      await once(stdin, "drain");
    }
  };
  const file = async (path: string, bytes: number): Promise<void> => {
    await write(`M 100644 inline ${path}\ndata ${bytes}\n`);
    await write(randomBytes(bytes));
    await write("\n");
  };
  const past = Math.ceil(historyBytes / PAST_FILE_BYTES);
  for (let ix = 0; ix < past; ix += 1) {
    await write(commit(ix, "Change what is large"));
    await file("past.bin", Math.min(PAST_FILE_BYTES, historyBytes - ix * PAST_FILE_BYTES));
  }
  await write(`${commit(past, "Replace it by what is small")}deleteall\n`);
  for (let ix = 0; ix < files; ix += 1) {
    const folder = Math.floor(ix / FILES_PER_FOLDER);
    const module = Math.floor(folder / FOLDERS_PER_MODULE);
    await file(
      `src/module-${module}/part-${folder % FOLDERS_PER_MODULE}/file-${ix}.txt`,
      FILE_BYTES,
    );
  }
}

function commit(ix: number, message: string): string {
  const who = `committer Bench <bench@localhost> ${FIRST_SECONDS + ix} +0000`;
  return `commit refs/heads/main\n${who}\ndata ${message.length}\n${message}\n`;
}
