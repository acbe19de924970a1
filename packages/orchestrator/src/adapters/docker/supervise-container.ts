import type {
  Job,
  JobEnd,
  JobExit,
  JobFolders,
  JobLimits,
  JobListener,
  JobName,
  JobSignals,
  JobSpec,
} from "../../ports/job-runtime.ts";
import { Activity } from "../supervision/pump.ts";
import { watchJob } from "../supervision/watch-job.ts";
import { bringBack } from "./bring-back.ts";
import { FRAME_BYTES } from "./create-container.ts";
import type { DockerContext } from "./docker-options.ts";
import { judgeExit } from "./judge-exit.ts";
import { followContainer, readWholeLog } from "./output/follow-container.ts";
import { JobOutput } from "./output/job-output.ts";
import { stopContainer } from "./stop-container.ts";
import { watchVolume } from "./watch-volume.ts";

/** What a supervisor has to know of a job; it need not be the one that made it. */
export type SupervisedSpec = JobName & JobFolders & Pick<JobSpec, "keep" | "secrets">;

/**
 * Watches a container that was started, by whomever, to its end.
 *
 * The container has its own life: it ends by itself, or because we end it, or because its engine
 * does; and it goes on when this supervisor dies or lets go. Whatever is known about its end is kept
 * by the engine until the job is removed: the output, the exit code, the volume. So everything here
 * can be done again by the next one, from the start, with the same result.
 *
 * The end: the container has ended → its output is told whole → the watcher of its volume is gone →
 * what it left is brought to this machine → `exit` settles. Nothing of the job itself is removed.
 *
 * `exit` rejects when a listener fails (the container is ended first), when the agent could not be
 * started, when the engine is away for too long, and when what was left cannot be taken.
 */
export function superviseContainer(
  context: DockerContext,
  containerId: string,
  {
    spec,
    listener,
    limits,
    signals,
  }: {
    readonly spec: SupervisedSpec;
    readonly listener: JobListener;
    readonly limits: JobLimits;
    readonly signals: JobSignals;
  },
): Job {
  const { docker, times } = context;
  const startedMs = performance.now();
  const activity = new Activity();
  const output = new JobOutput(listener, activity);
  const over = new AbortController();
  const left = new AbortController();
  let endedBy: JobEnd | undefined;
  let logFrames = 0;

  function end(reason: JobEnd, graceMs: number): void {
    if (endedBy === undefined && !over.signal.aborted && !left.signal.aborted) {
      endedBy = reason;
      void stopContainer(docker, containerId, { graceMs, over: over.signal });
    }
  }
  const stopWatching = watchJob({
    ...limits,
    activity,
    signal: signals.end,
    onDue: (reason) => end(reason, times.termGraceMs),
  });
  const volume = watchVolume(context, spec, containerId, () => end("workspace_full", 0));
  const letGo = () => left.abort();
  signals.letGo.addEventListener("abort", letGo, { once: true });
  if (signals.letGo.aborted) {
    letGo();
  }
  function isWithinLimit(frames: number): boolean {
    logFrames += frames;
    const { outputMaxBytes } = context.limits;
    if (
      output.bytes > outputMaxBytes ||
      output.bytes + logFrames * FRAME_BYTES > 2 * outputMaxBytes
    ) {
      end("output_full", 0);
    }
    return endedBy !== "output_full";
  }

  async function toTheEnd(): Promise<JobExit> {
    const { state, engineWasAway } = await followContainer(docker, containerId, {
      output,
      activity,
      lookEveryMs: times.lookEveryMs,
      engineGoneMs: times.engineGoneMs,
      onFrames: isWithinLimit,
      signal: left.signal,
    });
    const exitOf = (how: Partial<JobExit>): JobExit => ({
      exitCode: null,
      signal: null,
      durationMs: Math.round(state?.ranMs ?? performance.now() - startedMs),
      stderrTail: output.stderrTail(),
      ...how,
    });
    if (left.signal.aborted) {
      return exitOf(LEFT);
    }
    over.abort();
    stopWatching();
    if (state === undefined) {
      await output.end(undefined);
      return exitOf({ endedBy: endedBy ?? "engine_stopped" });
    }
    if (output.trailer() === undefined && endedBy !== "output_full") {
      await readWholeLog(docker, containerId, output, left.signal);
    }
    const trailer = output.trailer();
    await output.end(trailer);
    const how = judgeExit(state, trailer, { endedBy, engineWasAway });
    await volume.stop();
    return exitOf({ ...how, ...(await leftBehind(how.endedBy)) });
  }

  /** Of a job that was never started there is nothing, and what was too much stays where it is. */
  async function leftBehind(why: JobEnd | undefined): Promise<Pick<JobExit, "kept" | "leftOut">> {
    if (why === "start_refused" || why === "secrets_missing" || why === "workspace_full") {
      return {};
    }
    return bringBack(docker, containerId, {
      folders: spec,
      keep: spec.keep,
      limits: context.limits,
      signal: signals.letGo,
    });
  }

  async function finish(): Promise<JobExit> {
    try {
      return await toTheEnd();
    } catch (error) {
      if (left.signal.aborted) {
        return { ...LEFT, stderrTail: output.stderrTail() };
      }
      if (!over.signal.aborted) {
        // A listener that fails: nobody hears this job any more. An engine that is away stays away.
        await stopContainer(docker, containerId, { graceMs: 0, over: AbortSignal.timeout(30_000) });
      }
      throw error;
    } finally {
      over.abort();
      stopWatching();
      signals.letGo.removeEventListener("abort", letGo);
      await volume.stop(left.signal.aborted ? "leave" : undefined);
    }
  }
  const exit = finish();
  // Whoever awaits `exit` hears of it; nobody else has to.
  exit.catch(() => {});
  return { exit, keepAlive: () => {}, heard: () => activity.touch() };
}

const LEFT = { exitCode: null, signal: null, durationMs: 0, isLeft: true } as const;
