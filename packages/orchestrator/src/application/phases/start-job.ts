import type { AgentPhase } from "../../domain/phase.ts";
import { fencedError } from "../../domain/speckit-error.ts";
import type { StoredArtifact } from "../../ports/artifact-store.ts";
import type { NewEvent } from "../../ports/attempt-commit.ts";
import type {
  Job,
  JobExit,
  JobLimits,
  JobListener,
  JobName,
  JobSignals,
  JobSpec,
} from "../../ports/job-runtime.ts";
import type { Dependencies } from "../dependencies.ts";
import { useStartTicket } from "../use-start-ticket.ts";
import { orLost } from "../while-held.ts";
import type { PhaseContext } from "./phase-work.ts";

/** A job about to be started, and what is told of its start. */
export interface JobStart {
  readonly spec: JobSpec;
  readonly listener: JobListener;
  /** Asked when everything else is done: getting ready is working time too. */
  readonly limits: () => Omit<JobLimits, "keepAliveMs">;
  readonly signals: JobSignals;
  readonly told?: {
    readonly events: readonly NewEvent[];
    readonly artifacts: readonly StoredArtifact[];
  };
}

/**
 * Starts a job, once.
 *
 * One that ends with its worker: the worker takes the start ticket right before. One that outlives
 * it: its container is made, then committed with the attempt, then started by its id; the ticket is
 * taken inside, by its entry program. Cut
 *
 * - before the commit: nobody knows the container, nothing runs in it; the next owner ends the attempt
 *   and removes what older attempts have left before it makes another;
 * - between commit and start: the next owner finds it not started, and starts it;
 * - after it: the next owner finds it running, or what it came to.
 */
export async function startJob(
  context: PhaseContext,
  phase: AgentPhase | "prepare",
  { spec, listener, limits, signals, told }: JobStart,
): Promise<Job> {
  const { deps, lease, attempt, run } = context;
  await removeOlderJobs(context, phase);
  const prepared = await deps.runtime.prepare(spec, context.signal);
  if (prepared.place === undefined) {
    await useStartTicket(context, phase);
  } else {
    await deps.reach?.("container.created", { runId: run.runId, phase, attempt });
    const { containerId, engineId } = prepared.place;
    context.evidence.containerId = containerId;
    deps.logger.info("container made", { containerId, engineId });
    const { events = [], artifacts = [] } = told ?? {};
    const placed = { phase, attempt, place: prepared.place, events, artifacts };
    await orLost(lease, deps.runs.placeAttempt(lease.hold, placed));
    context.onEvents();
    await deps.reach?.("container.placed", { runId: run.runId, phase, attempt });
  }
  const keepAliveMs = Math.max(0, lease.trustedForMs());
  if (keepAliveMs === 0 && prepared.place !== undefined) {
    // This process stood still: by now the container is another owner's.
    throw fencedError(run.runId, lease.hold.epoch);
  }
  const runtime = prepared.place === undefined ? "process" : "container";
  deps.metrics?.count("jobs_started", { runtime });
  return prepared.start(listener, { ...limits(), keepAliveMs }, signals);
}

/** Keeps a job alive with the lease, to its end. */
export async function untilGone(
  { lease }: Pick<PhaseContext, "lease">,
  job: Job,
): Promise<JobExit> {
  try {
    lease.onRenewed((trustedForMs) => job.keepAlive(trustedForMs));
    // Starting took its time, and a renewal may have come and gone meanwhile.
    job.keepAlive(Math.max(0, lease.trustedForMs()));
    return await job.exit;
  } finally {
    lease.onRenewed(undefined);
  }
}

/** Removes what an attempt has on its engine. What fails is left to the reaper. */
export async function removeJob(
  { runtime, logger }: Pick<Dependencies, "runtime" | "logger">,
  name: JobName,
): Promise<void> {
  try {
    await runtime.engine?.remove(name);
  } catch (error) {
    logger.warn("a container is left to the reaper", { ...name, error: String(error) });
  }
}

/**
 * What earlier attempts have left on this engine must be gone before another begins: the run may have
 * been moved to another engine and back, and its old agent still be at work here.
 */
async function removeOlderJobs(
  { deps, run, attempt }: PhaseContext,
  phase: AgentPhase | "prepare",
): Promise<void> {
  const { engine } = deps.runtime;
  for (const job of (await engine?.list(run.runId)) ?? []) {
    if (job.phase !== phase || job.attempt !== attempt) {
      await engine?.remove(job);
    }
  }
}
