import type { JobEnd } from "../../ports/job-runtime.ts";
import type { Activity } from "./pump.ts";

/** Longest delay a Node timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** A process that was stopped for a while hears its timers before its pipes: look a second time. */
const SECOND_LOOK_MS = 50;

/**
 * Calls `onDue` when a job has run too long, been silent too long, or was aborted. May call more
 * than once; the first reason counts.
 *
 * @returns stops watching
 */
export function watchJob(options: {
  readonly deadlineMs: number;
  readonly silenceMs: number;
  readonly activity: Activity;
  readonly signal: AbortSignal;
  readonly onDue: (reason: Extract<JobEnd, "deadline" | "silence" | "abort">) => void;
}): () => void {
  const { activity, signal, onDue } = options;
  const deadline = setTimeout(() => onDue("deadline"), Math.min(options.deadlineMs, TIMER_MAX_MS));

  let silence: NodeJS.Timeout;
  const look = (isSecond: boolean) => {
    const leftMs = options.silenceMs - activity.silentMs();
    if (leftMs > 0) {
      silence = setTimeout(look, Math.min(leftMs, TIMER_MAX_MS), false);
    } else if (isSecond) {
      onDue("silence");
    } else {
      silence = setTimeout(look, SECOND_LOOK_MS, true);
    }
  };
  look(false);

  const onAbort = () => onDue("abort");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) {
    onAbort();
  }

  return () => {
    clearTimeout(deadline);
    clearTimeout(silence);
    signal.removeEventListener("abort", onAbort);
  };
}
