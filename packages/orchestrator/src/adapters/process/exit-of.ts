import type { ChildProcess } from "node:child_process";

export interface ProcessExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * The end of a child process, whether or not its pipes are closed by then: execa's own promise waits
 * for the pipes, which a process that escaped can hold open for as long as it likes. Call it in the
 * same turn as the start.
 */
export function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}
