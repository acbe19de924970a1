import type { Clock } from "../../ports/clock.ts";

/** A process that was stopped for a while hears its clock before its sockets: look a second time. */
const SECOND_LOOK_MS = 50;

/** Watches for silence of the provider. Disposing it ends the watch. */
export interface HangWatch extends Disposable {
  /** Something has come: the time begins anew. */
  readonly heard: () => void;
  /** While the agent is slow to take what has come, the provider cannot send: that is no silence. */
  readonly pause: () => void;
}

/** Calls `onHung` once when nothing was heard for `hangMs`. Begins to count at once. */
export function watchForHang(clock: Clock, hangMs: number, onHung: () => void): HangWatch {
  const over = new AbortController();
  let quietSinceMs: number | undefined = clock.monotonicMs();
  const watch = async (): Promise<void> => {
    let isSecond = false;
    while (!over.signal.aborted) {
      const quietMs = quietSinceMs === undefined ? 0 : clock.monotonicMs() - quietSinceMs;
      const leftMs = hangMs - quietMs;
      if (leftMs > 0) {
        isSecond = false;
        await clock.sleep(leftMs, over.signal);
      } else if (isSecond) {
        over.abort();
        onHung();
      } else {
        isSecond = true;
        await clock.sleep(SECOND_LOOK_MS, over.signal);
      }
    }
  };
  void watch();
  return {
    heard() {
      quietSinceMs = clock.monotonicMs();
    },
    pause() {
      quietSinceMs = undefined;
    },
    [Symbol.dispose]: () => over.abort(),
  };
}
