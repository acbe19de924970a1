import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { isSpeckitError } from "../../../domain/speckit-error.ts";
import type { Activity } from "../../supervision/pump.ts";
import { ProgressDeadline } from "../ask-engine.ts";
import { type ContainerState, containerState, isMissing } from "../container-state.ts";
import { Frames } from "./frames.ts";
import type { JobOutput } from "./job-output.ts";
import { openLog } from "./open-log.ts";

/** Between two tries to reach an engine that is away. */
const AGAIN_MS = 500;

/** How a container that was followed stands in the end. */
export interface Followed {
  /** Undefined: it is no more. */
  readonly state: ContainerState | undefined;
  /** The engine could not be reached for a while. */
  readonly engineWasAway: boolean;
}

/**
 * Reads a container's log into `output` until it has ended, whatever the way to the engine does: a
 * connection that breaks is opened again, and the log read from its start. The container itself is
 * looked at now and then, so that neither a log that hangs nor an engine that hangs is waited for.
 *
 * @param signal leaves the container; resolves soon
 * @throws SpeckitError `ENGINE_UNAVAILABLE` when the engine is away for too long; what the listener throws
 */
export async function followContainer(
  docker: Docker,
  containerId: string,
  options: {
    readonly output: JobOutput;
    readonly activity: Activity;
    readonly lookEveryMs: number;
    readonly engineGoneMs: number;
    /** @returns false when no more of the output is wanted: then only the end is waited for */
    readonly onFrames: (frames: number) => boolean;
    readonly signal: AbortSignal;
  },
): Promise<Followed> {
  const { output, activity, signal } = options;
  let isWanted = true;
  const onFrames = (frames: number): boolean => {
    isWanted = options.onFrames(frames);
    return isWanted;
  };
  let awaySinceMs: number | undefined;
  let engineWasAway = false;
  for (;;) {
    try {
      if (isWanted) {
        await readLog(docker, containerId, { ...options, onFrames });
      }
      const state = await containerState(docker, containerId, signal);
      awaySinceMs = undefined;
      if (state?.isRunning !== true) {
        return { state, engineWasAway };
      }
    } catch (error) {
      if (error instanceof ListenerFailed) {
        throw error.cause;
      }
      if (signal.aborted) {
        return { state: undefined, engineWasAway };
      }
      if (isMissing(error)) {
        return { state: undefined, engineWasAway };
      }
      if (!isSpeckitError(error)) {
        throw error;
      }
      engineWasAway = true;
      awaySinceMs ??= performance.now();
      if (performance.now() - awaySinceMs > options.engineGoneMs) {
        throw error;
      }
    }
    if (signal.aborted) {
      return { state: undefined, engineWasAway };
    }
    output.restart();
    // While nobody hears it, its silence says nothing.
    await activity.hear(() => sleep(AGAIN_MS, undefined, { signal }).catch(() => {}));
  }
}

/** Reads an ended container's log once more, from the start to the end that it has now. */
export async function readWholeLog(
  docker: Docker,
  containerId: string,
  output: JobOutput,
  signal: AbortSignal,
): Promise<void> {
  output.restart();
  using deadline = new ProgressDeadline("give a container's log", undefined, signal);
  try {
    const log = await openLog(docker, containerId, { follow: false, signal: deadline.signal });
    await pour(held(log, deadline), output, () => true);
    deadline.signal.throwIfAborted();
  } catch (error) {
    throw error instanceof ListenerFailed ? error.cause : error;
  }
}

async function readLog(
  docker: Docker,
  containerId: string,
  {
    output,
    lookEveryMs,
    onFrames,
    signal,
  }: Omit<Parameters<typeof followContainer>[2], "activity" | "engineGoneMs">,
): Promise<void> {
  const over = new AbortController();
  const onAbort = () => over.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let pieces = 0;
  let quietLooks = 0;
  let piecesAtLook = 0;
  let isLooking = false;
  const look = async () => {
    if (isLooking) {
      return;
    }
    isLooking = true;
    try {
      const state = await containerState(docker, containerId, over.signal);
      // What an ended container has said comes at once; a log that goes on after it hangs.
      quietLooks = state?.isRunning === true || pieces !== piecesAtLook ? 0 : quietLooks + 1;
      piecesAtLook = pieces;
      if (quietLooks >= 2) {
        over.abort();
      }
    } catch (error) {
      over.abort(error);
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  try {
    signal.throwIfAborted();
    const log = await openLog(docker, containerId, { follow: true, signal: over.signal });
    await pour(log, output, (frames) => {
      pieces += 1;
      return onFrames(frames);
    });
    if (over.signal.aborted && isSpeckitError(over.signal.reason)) {
      throw over.signal.reason;
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", onAbort);
    over.abort();
  }
}

/** A stream that breaks ends: what it was about is asked for next. */
async function pour(
  log: AsyncIterable<Buffer>,
  output: JobOutput,
  onFrames: (frames: number) => boolean,
): Promise<void> {
  const frames = new Frames();
  let isOurs = false;
  try {
    for await (const piece of log) {
      const { stdout, stderr, frames: count } = frames.push(piece);
      isOurs = true;
      await output.take(stdout, stderr);
      isOurs = false;
      if (!onFrames(count)) {
        return;
      }
    }
  } catch (cause) {
    if (isOurs) {
      throw new ListenerFailed("a listener failed", { cause });
    }
  }
}

/** While a listener holds back what comes, the engine is not slow. */
async function* held(log: AsyncIterable<Buffer>, deadline: ProgressDeadline) {
  for await (const piece of log) {
    deadline.hold();
    yield piece;
    deadline.moved();
  }
}

class ListenerFailed extends Error {}
