import { lstat, rm } from "node:fs/promises";
import { connect } from "node:net";
import { SpeckitError } from "../../domain/speckit-error.ts";

/**
 * Makes way for a socket: one that a process has left which was killed is removed.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` when somebody listens there, or something else is there
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  });
  if (found === undefined) {
    return;
  }
  if (!found.isSocket() || (await isServed(path))) {
    const what = found.isSocket() ? "another gateway listens there" : "it is no socket";
    throw new SpeckitError("CONFIGURATION_INVALID", `The gateway's socket ${path}: ${what}`);
  }
  await rm(path, { force: true });
}

function isServed(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
