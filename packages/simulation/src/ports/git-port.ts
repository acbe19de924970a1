import { type GitRun, type GitWorkspace, SpeckitError } from "@speckit/orchestrator";
import type { Process, World } from "../world/process.ts";

/** What asks the git host; everything else is the process's own disk. */
const REMOTE = new Set<string>(["fetchBase", "push"]);

/** What goes through a whole workspace. */
const LONG = new Set<string>(["createAttempt", "harvest", "diff", "push"]);
const LONG_MS = 2_000;

/** Git as one process uses it: the host may be away or slow, a push's answer may get lost. */
export function gitPort({ oracle }: World, process: Omit<Process, "deps">): GitWorkspace {
  const { git } = process.machine;
  const port: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(git)) {
    const work = method as (...args: unknown[]) => Promise<unknown>;
    const wire = process.links[REMOTE.has(name) ? "git" : "local"];
    const code = REMOTE.has(name) ? "GIT_UNREACHABLE" : "DISK_FULL";
    port[name] = (...args: unknown[]) => {
      if (name === "push" && process.isAlive) {
        oracle.onPush((args[0] as GitRun).runId, process);
      }
      return wire.call(
        `git.${name}`,
        () => work(...args),
        () => new SpeckitError(code, `git.${name}: failed`),
        LONG.has(name) ? LONG_MS : 0,
      );
    };
  }
  return port as unknown as GitWorkspace;
}
