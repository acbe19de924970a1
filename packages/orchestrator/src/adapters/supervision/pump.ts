import type { Readable } from "node:stream";

/** When the agent was last heard, as the silence watchdog and the final drain need it. */
export class Activity {
  #lastMs = performance.now();
  #held = 0;

  /** Milliseconds without a byte. 0 while a listener holds output back: that is us, not the agent. */
  silentMs(): number {
    return this.#held > 0 ? 0 : performance.now() - this.#lastMs;
  }

  /** Something else tells that it is at work. */
  touch(): void {
    this.#lastMs = performance.now();
  }

  async hear(work: () => Promise<void>): Promise<void> {
    this.#held += 1;
    try {
      await work();
    } finally {
      this.#held -= 1;
      this.#lastMs = performance.now();
    }
  }
}

/**
 * Carries a stream to a listener piece by piece. The next piece is not read before the listener is
 * done with the last one, so a slow listener slows the agent down instead of filling our memory.
 *
 * Resolves at the stream's end, or when it was destroyed; rejects with what the listener threw.
 */
export async function pump(
  stream: Readable,
  activity: Activity,
  onPiece: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  let isOurs = false;
  try {
    for await (const piece of stream) {
      isOurs = true;
      await activity.hear(() => onPiece(piece as Uint8Array));
      isOurs = false;
    }
  } catch (error) {
    // A broken or destroyed pipe is an end like any other; a listener's error is not.
    if (isOurs) {
      throw error;
    }
  }
}
