import { rowsOf } from "./rows.ts";

interface RunRow {
  readonly id: string;
  readonly outcome: string | null;
  readonly status: string;
  readonly epoch: number;
  readonly is_cleaned: boolean;
  readonly pipeline: readonly string[];
}

interface AttemptRow {
  readonly run_id: string;
  readonly phase: string;
  readonly attempt: number;
  readonly state: string;
  readonly epoch: number;
}

/**
 * Every run is over and cleaned, with the outcomes asked for; each phase has succeeded exactly once
 * (or never, for the phases behind the end of a run that did not succeed); attempts are numbered
 * without a gap, under epochs that never go back and that the run has really had.
 */
export async function checkAttempts(
  databaseUrl: string,
  outcomes?: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const runs = await rowsOf<RunRow>(
    databaseUrl,
    `SELECT id, outcome, status, epoch::int, cleaned_at IS NOT NULL AS is_cleaned, pipeline
       FROM spec_workflow_runs ORDER BY created_at, id`,
  );
  const attempts = await rowsOf<AttemptRow>(
    databaseUrl,
    `SELECT run_id, phase, attempt, state, epoch::int
       FROM spec_workflow_task_states ORDER BY run_id, phase, attempt`,
  );
  const problems: string[] = [];
  for (const run of runs) {
    const own = attempts.filter((attempt) => attempt.run_id === run.id);
    const found = [...checkEnd(run), ...checkPhases(run, own)];
    problems.push(...found.map((problem) => `run ${run.id}: ${problem}`));
  }
  return [...problems, ...checkOutcomes(runs, outcomes)];
}

function checkEnd({ outcome, status, is_cleaned }: RunRow): readonly string[] {
  if (outcome === null) {
    return [`is not over, its status is ${status}`];
  }
  return is_cleaned ? [] : [`is ${outcome}, and was never cleaned up`];
}

function checkPhases(run: RunRow, own: readonly AttemptRow[]): readonly string[] {
  const problems: string[] = [];
  for (const phase of new Set(own.map((attempt) => attempt.phase))) {
    const started = own.filter((attempt) => attempt.phase === phase && attempt.attempt > 0);
    const successes = started.filter(({ state }) => state === "succeeded").length;
    if (successes > 1) {
      problems.push(`${phase} has succeeded ${successes} times`);
    }
    started.forEach(({ attempt, epoch }, ix) => {
      if (attempt !== ix + 1) {
        problems.push(`${phase}: attempt ${ix + 1} is missing`);
      }
      const before = started[ix - 1]?.epoch ?? 1;
      if (epoch < before || epoch > run.epoch) {
        problems.push(`${phase} ${attempt} has epoch ${epoch}, between ${before} and ${run.epoch}`);
      }
    });
    const last = started.at(-1);
    if (successes === 1 && last?.state !== "succeeded") {
      problems.push(`${phase} was started again after it had succeeded: ${last?.state}`);
    }
    const isSkipped = own.some((row) => row.phase === phase && row.state === "skipped");
    if (run.outcome === "succeeded" && successes !== 1 && !isSkipped) {
      problems.push(`${phase} has not succeeded in a run that has`);
    }
  }
  return problems;
}

function checkOutcomes(
  runs: readonly RunRow[],
  wanted: Readonly<Record<string, number>> | undefined,
): readonly string[] {
  if (wanted === undefined) {
    return [];
  }
  const names = new Set([...Object.keys(wanted), ...runs.map(({ outcome }) => String(outcome))]);
  return [...names].flatMap((name) => {
    const count = runs.filter(({ outcome }) => String(outcome) === name).length;
    return count === (wanted[name] ?? 0)
      ? []
      : [`${count} runs have the outcome ${name}, expected ${wanted[name] ?? 0}`];
  });
}
