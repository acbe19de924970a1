import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failpoint, Phase, ReachFailpoint } from "@speckit/orchestrator";
import { eventually } from "@speckit/testkit/program";

/** What is to happen to a worker at a failpoint. */
export interface Cut {
  readonly point: Failpoint;
  /** Only in this phase. */
  readonly phase?: Phase | undefined;
  /** Only at the n-th time, whoever is there. Default the first. */
  readonly nth?: number;
  /** `kill` and `stop` are signals the worker sends itself; `wait` holds it up until `go`. */
  readonly action: "kill" | "stop" | "wait";
  /** Again each time, not once for all workers. */
  readonly always?: true;
}

/** Where and in whom it has happened. */
export interface Reached {
  readonly pid: number;
  readonly point: Failpoint;
  readonly phase?: Phase;
  readonly attempt?: number;
}

/** Stands for whatever has no run, like a sweep. */
const NO_RUN = "no-run";

/**
 * A folder that tests and workers share: what is to happen to a run's worker, and what has. Many
 * runs may have their cut at the same time; whichever worker has the run in hand is hit.
 */
export function failpointPlan(folder: string) {
  const path = (runId: string | undefined, kind: string) =>
    join(folder, `${runId ?? NO_RUN}.${kind}`);
  return {
    /** To be called before the run is published. */
    cut: (runId: string | undefined, cut: Cut) =>
      writeFile(path(runId, "cut"), JSON.stringify(cut)),
    /** Lets a worker go on that waits. */
    go: (runId?: string) => writeFile(path(runId, "go"), ""),
    /** How often each time it was reached; empty when it was not. */
    async reached(runId?: string): Promise<readonly Reached[]> {
      const text = await readFile(path(runId, "reached"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    },
    async untilReached(runId?: string, withinMs = 180_000): Promise<Reached> {
      const all = await eventually(
        `the failpoint of ${runId ?? "no run"} is reached`,
        () => this.reached(runId),
        (reached) => reached.length > 0,
        { withinMs },
      );
      return all.at(-1) as Reached;
    },
  };
}

export type FailpointPlan = ReturnType<typeof failpointPlan>;

/** The worker's side of {@link failpointPlan}. */
export function reachByPlan(folder: string): ReachFailpoint {
  return async (point, at) => {
    const path = (kind: string) => join(folder, `${at.runId ?? NO_RUN}.${kind}`);
    const cut = readCut(path("cut"));
    if (cut?.point !== point || (cut.phase !== undefined && cut.phase !== at.phase)) {
      return;
    }
    appendFileSync(path("seen"), ".");
    if (statSync(path("seen")).size < (cut.nth ?? 1)) {
      return;
    }
    const { phase, attempt } = at;
    const reached: Reached = {
      pid: process.pid,
      point,
      ...(phase === undefined ? {} : { phase }),
      ...(attempt === undefined ? {} : { attempt }),
    };
    try {
      const flag = cut.always === true ? "a" : "wx";
      writeFileSync(path("reached"), `${JSON.stringify(reached)}\n`, { flag });
    } catch {
      return; // Another worker was there before.
    }
    await happen(cut.action, path("go"));
  };
}

async function happen(action: Cut["action"], goPath: string): Promise<void> {
  switch (action) {
    case "kill":
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => {});
    case "stop":
      process.kill(process.pid, "SIGSTOP");
      return;
    case "wait":
      while (!existsSync(goPath)) {
        await sleep(20);
      }
  }
}

function readCut(path: string): Cut | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
