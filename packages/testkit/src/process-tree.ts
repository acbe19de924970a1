import { readdir, readFile, readlink } from "node:fs/promises";

/** Pids of live processes whose command line holds a text, as seen from outside every namespace. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) {
      continue;
    }
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (commandLine.includes(text)) {
      found.push(pid);
    }
  }
  return found;
}

/** Pids of live processes that work in a folder or below it, as seen from outside every namespace. */
export async function processesIn(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (Number.isInteger(pid)) {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      if (cwd === folder || cwd.startsWith(`${folder}/`)) {
        found.push(pid);
      }
    }
  }
  return found;
}
