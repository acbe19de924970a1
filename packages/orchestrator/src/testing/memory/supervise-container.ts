import type {
  Job,
  JobEnd,
  JobExit,
  JobLimits,
  JobListener,
  JobSignals,
} from "../../ports/job-runtime.ts";
import type { MemoryContainer } from "./memory-container.ts";
import type { Timers } from "./timers.ts";

/**
 * Watches a container from its first byte to its end, or until its worker lets go. Whoever else
 * watches it is not disturbed.
 */
export function superviseContainer(
  { timers, termGraceMs }: { readonly timers: Timers; readonly termGraceMs: number },
  container: MemoryContainer,
  listener: JobListener,
  limits: JobLimits,
  { end, letGo }: JobSignals,
): Job {
  const startedMs = timers.nowMs();
  let endedBy: JobEnd | undefined;
  let forgetGrace = (): void => {};
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  const forgetChange = container.onChange(wake);

  const stop = (why: JobEnd): void => {
    if (endedBy === undefined && container.end() === undefined) {
      endedBy = why;
      container.signal("SIGTERM");
      forgetGrace = timers.after(termGraceMs, () => container.signal("SIGKILL"));
    }
  };
  const onEnd = (): void => stop("abort");
  end.addEventListener("abort", onEnd, { once: true });
  letGo.addEventListener("abort", wake, { once: true });
  const forgetDeadline = timers.after(limits.deadlineMs, () => stop("deadline"));
  let forgetSilence = timers.after(limits.silenceMs, () => stop("silence"));
  const heard = (): void => {
    forgetSilence();
    forgetSilence = timers.after(limits.silenceMs, () => stop("silence"));
  };

  async function read(): Promise<JobExit> {
    let stderrTail = "";
    const exitOf = (how: Partial<JobExit>): JobExit => ({
      exitCode: null,
      signal: null,
      ...how,
      durationMs: Math.round(timers.nowMs() - startedMs),
      stderrTail,
    });
    for (let told = 0; ; ) {
      const piece = container.printed[told];
      if (letGo.aborted) {
        return exitOf({ isLeft: true });
      }
      if (piece !== undefined) {
        told += 1;
        if (piece.stream === "stderr") {
          stderrTail += piece.text;
          await listener.onStderr(Buffer.from(piece.text));
        } else {
          await listener.onStdout(Buffer.from(piece.text));
          for (const line of piece.text.replace(/\n$/, "").split("\n")) {
            listener.onLine(line);
          }
        }
        heard();
        continue;
      }
      const ended = container.end();
      if (ended !== undefined) {
        const why = endedBy ?? ended.endedBy;
        return exitOf({ ...ended, ...(why === undefined ? {} : { endedBy: why }) });
      }
      await changed.promise;
      changed = Promise.withResolvers();
    }
  }

  if (end.aborted && container.state() === "created") {
    const exit = { exitCode: null, signal: null, endedBy: "abort", durationMs: 0, stderrTail: "" };
    return { exit: Promise.resolve(exit as JobExit), keepAlive: () => {} };
  }
  if (container.state() === "created") {
    container.start();
  }
  const exit = read()
    .catch((error: unknown) => {
      container.signal("SIGKILL");
      throw error;
    })
    .finally(() => {
      forgetChange();
      forgetDeadline();
      forgetSilence();
      forgetGrace();
      end.removeEventListener("abort", onEnd);
      letGo.removeEventListener("abort", wake);
    });
  exit.catch(() => {});
  if (end.aborted) {
    onEnd();
  }
  return { exit, keepAlive: () => {}, heard };
}
