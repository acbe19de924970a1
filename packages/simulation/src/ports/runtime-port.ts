import type { Job, JobRuntime, JobSpec, PreparedJob } from "@speckit/orchestrator";
import { SpeckitError } from "@speckit/orchestrator";
import { memoryCredentialRepository, memoryJobRuntime } from "@speckit/orchestrator/testing";
import { CREDENTIAL, programOf } from "../world/agents.ts";
import type { Process, World } from "../world/process.ts";

/**
 * Jobs of one process. They run beside it: a frozen supervisor's agent works on until its time to
 * live is over, a dead supervisor's agent is gone with it.
 */
export function runtimePort(world: World, process: Omit<Process, "deps">): JobRuntime {
  const { scheduler, services, random, oracle, habits, mutations } = world;
  const timers = {
    nowMs: scheduler.nowMs,
    after: (ms: number, what: () => void) =>
      scheduler.after(ms, `${process.name}'s agent`, undefined, what),
  };
  // The provider's word reaches everybody at once: what it takes to tell it is the gateway's.
  const credentials = memoryCredentialRepository(services.database);
  const plain = memoryJobRuntime({
    timers,
    find: (spec) =>
      programOf(habits, spec, {
        workspaceOf: (path) => process.machine.workspaces.get(path),
        coolDown: (forMs) => void credentials.coolDown(CREDENTIAL, forMs, "rate_limited"),
      }),
    onStart(job) {
      process.agents.add(job);
      oracle.onAgentStart(job, process);
    },
  });
  const inner = mutations.runtime?.(plain) ?? plain;

  return {
    report: inner.report,
    foldersInJob: inner.foldersInJob,
    prepare: async (spec, signal) => {
      const prepared = await inner.prepare(spec, signal);
      return { ...prepared, start: (...asked) => start(spec, prepared, ...asked) };
    },
  };

  async function start(
    spec: JobSpec,
    prepared: PreparedJob,
    ...[listener, limits, signals]: Parameters<PreparedJob["start"]>
  ): Promise<Job> {
    const askedMs = scheduler.nowMs();
    /** What an agent tells its supervisor comes when that can hear it, and in order. */
    const told: (() => void)[] = [];
    const toSupervisor = (label: string, what: () => void): void => {
      told.push(what);
      scheduler.after(random.between(0, 2), label, process, () => told.shift()?.());
    };
    const job = await process.links.local.call(
      `agent ${spec.phase} ${spec.attempt}: start`,
      () => {
        // What was granted counts from when it was asked for.
        const keepAliveMs = Math.max(0, limits.keepAliveMs - (scheduler.nowMs() - askedMs));
        return prepared.start(
          {
            onStdout: async () => {},
            onStderr: async () => {},
            onLine: (line, tail) => toSupervisor("agent: line", () => listener.onLine(line, tail)),
          },
          { ...limits, keepAliveMs },
          signals,
        );
      },
      () => new SpeckitError("INTERNAL_ERROR", "The agent could not be started"),
    );
    return {
      keepAlive: job.keepAlive,
      exit: new Promise((resolve, reject) => {
        job.exit.then(
          (exit) => toSupervisor("agent: exit", () => resolve(exit)),
          (error: unknown) => toSupervisor("agent: failed", () => reject(error)),
        );
      }),
    };
  }
}
