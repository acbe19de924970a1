import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface GuardedFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * A new folder in `parent` that goes away with this process, even when it is killed with SIGKILL.
 *
 * A small shell waits at the other end of a pipe that only we hold open; when the kernel closes it,
 * the shell gives the folder's users a second to die and removes the folder. The shell is outside
 * our process group, so Ctrl-C in a terminal does not reach it.
 */
export async function guardedFolder(prefix: string, parent = tmpdir()): Promise<GuardedFolder> {
  const path = await mkdtemp(join(parent, prefix));
  const remover = spawn("sh", ["-c", 'read -r _; sleep 1; rm -rf -- "$1"', "sh", path], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell the folder is still removed by an orderly end.
  remover.on("error", () => {});
  remover.stdin.on("error", () => {});
  remover.unref();
  return {
    path,
    async [Symbol.asyncDispose]() {
      remover.kill("SIGKILL");
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
