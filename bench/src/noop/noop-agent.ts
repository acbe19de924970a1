import { setTimeout as pause } from "node:timers/promises";
import type { AgentBackend, JobExit, JobRuntime } from "@speckit/orchestrator";

const DONE: JobExit = { exitCode: 0, signal: null, durationMs: 0, stderrTail: "" };

/** An agent that is done as soon as it is asked. */
export const noopBackend: AgentBackend = {
  name: "noop",
  description: "does nothing",
  command: () => ({ argv: ["true"], env: {}, stdin: "", files: [] }),
  reader: () => ({ read: () => [], classify: () => undefined }),
};

/**
 * A runtime that starts no process.
 *
 * @param worksForMs how long each job "works"; default: it is over at once
 */
export function noopRuntime(worksForMs = 0): JobRuntime {
  return {
    report: async () => ({ name: "noop", isolation: "nothing is started", contained: true }),
    foldersInJob: (folders) => folders,
    prepare: async () => ({
      start: async (_listener, _limits, { end, letGo }) => ({
        exit:
          worksForMs === 0
            ? Promise.resolve(DONE)
            : workFor(worksForMs, AbortSignal.any([end, letGo])),
        keepAlive: () => {},
      }),
    }),
  };
}

async function workFor(ms: number, signal: AbortSignal): Promise<JobExit> {
  try {
    await pause(ms, undefined, { signal });
    return { ...DONE, durationMs: ms };
  } catch {
    return { ...DONE, exitCode: null, signal: "SIGKILL", endedBy: "abort" };
  }
}
