import type { Socket } from "node:net";

/** What has gone through a tunnel so far. */
export interface TunnelCount {
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A tunnel through which nothing goes for so long is given up: whoever opened it has forgotten it. */
const IDLE_MS = 10 * 60_000;

export interface Tunnel {
  readonly count: () => TunnelCount;
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
}

/**
 * Passes bytes both ways until both sides have ended or one breaks. Each side may end its half first; a
 * reader that is slow holds the other side's writer back, and nothing piles up here.
 *
 * @param first is sent to the target before all else
 */
export function passBytes(
  agent: Socket,
  target: Socket,
  { first, signal }: { readonly first: Buffer; readonly signal: AbortSignal },
): Tunnel {
  const cut = (): void => {
    agent.destroy();
    target.destroy();
  };
  const closed = Promise.all([agent, target].map(untilClosed)).then(() => {
    signal.removeEventListener("abort", cut);
  });
  agent.once("close", cut);
  // What the target has sent last may still be on its way to the agent.
  target.once("close", () => (target.readableEnded ? agent.destroySoon() : cut()));
  agent.setTimeout(IDLE_MS, cut);
  signal.addEventListener("abort", cut);
  if (signal.aborted || agent.destroyed) {
    cut();
  }
  target.write(first);
  agent.pipe(target);
  target.pipe(agent);
  return {
    count: () => ({ bytesUp: target.bytesWritten, bytesDown: target.bytesRead }),
    closed,
  };
}

function untilClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) {
      resolve();
    } else {
      socket.once("close", () => resolve());
    }
  });
}
