import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves with true when something accepts connections at 127.0.0.1:port, with false when the signal aborts first. */
export async function waitForPort(port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await accepts(port)) {
      return true;
    }
    await sleep(50, undefined, { signal }).catch(() => {});
  }
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
