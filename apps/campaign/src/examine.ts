import { checkEverything, processesIn, rowsOf } from "@speckit/testkit/program";
import { checkWakeUps, type WakeUpFigures } from "./check-wake-ups.ts";
import type { Fleet } from "./open-fleet.ts";

export interface Examined {
  /** Runs by outcome, as the rows say. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Claims beyond each run's first. */
  readonly laterClaims: number;
  /** Attempts that ended with their worker. */
  readonly interrupted: number;
  readonly wakeUps: WakeUpFigures;
  /** What does not hold, one line each. */
  readonly violations: readonly string[];
}

/** Looks at what a fleet has left behind, once its workers are gone. */
export async function examine(fleet: Fleet, runs: number): Promise<Examined> {
  const { postgres, broker, prefix, kindOf, startsPath, stateFolder } = fleet;
  const kinds = Array.from({ length: runs }, (_, ix) => kindOf(ix));
  const left = await processesIn(stateFolder);
  const found = await checkEverything({
    databaseUrl: postgres.url,
    amqpUrl: broker.url,
    prefix,
    remotes: [...new Set(kinds.map((kind) => kind.remote))],
    startsPath,
    outcomes: countsOf(kinds.map((kind) => kind.outcome)),
  });
  const wakeUps = await checkWakeUps(postgres.url, await fleet.tap.count());
  const rows = await rowsOf<{ outcome: string | null; epoch: number; interrupted: number }>(
    postgres.url,
    `SELECT outcome, epoch::integer, (SELECT count(*)::integer FROM spec_workflow_task_states
       WHERE run_id = id AND state = 'interrupted') AS interrupted FROM spec_workflow_runs`,
  );
  return {
    outcomes: countsOf(rows.map((row) => row.outcome ?? "open")),
    laterClaims: sum(rows.map((row) => Math.max(0, row.epoch - 1))),
    interrupted: sum(rows.map((row) => row.interrupted)),
    wakeUps: wakeUps.figures,
    violations: [
      ...left.map((pid) => `process ${pid} is left behind in ${stateFolder}`),
      ...found,
      ...wakeUps.violations,
    ],
  };
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort().reverse()) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
