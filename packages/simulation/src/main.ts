import { parseArgs } from "node:util";
import { BUGS } from "./bugs/bugs.ts";
import { type Hunt, huntBug } from "./bugs/hunt-bug.ts";
import { planOf } from "./run/plan.ts";
import { type ManyReport, runMany } from "./run/run-many.ts";
import { runSchedule, type ScheduleResult } from "./run/run-schedule.ts";

const USAGE = `Usage: npm run simulate -- [options]

  --schedules N   run so many schedules on every core (default 5000)
  --from N        first seed (default 1)
  --seed N        run this one schedule
  --trace         with --seed: print every step
  --bugs          put in each deliberate bug and show the schedule that catches it
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let asked: ReturnType<typeof parse>;
  try {
    asked = parse(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (asked.seed !== undefined) {
    return one(asked.seed, asked.trace);
  }
  if (asked.bugs) {
    return bugs(asked.schedules ?? 5_000);
  }
  return many(asked.from ?? 1, asked.schedules ?? 5_000);
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      from: { type: "string" },
      schedules: { type: "string" },
      trace: { type: "boolean", default: false },
      bugs: { type: "boolean", default: false },
    },
  });
  const { trace, bugs } = values;
  return {
    trace,
    bugs,
    seed: numberOf("--seed", values.seed),
    from: numberOf("--from", values.from),
    schedules: numberOf("--schedules", values.schedules),
  };
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d{1,15}$/.test(text)) {
    throw new Error(`${name}: expected a whole number, got ${JSON.stringify(text)}`);
  }
  return text === undefined ? undefined : Number(text);
}

async function one(seed: number, isTraced: boolean): Promise<number> {
  const result = await runSchedule({
    seed,
    ...(isTraced ? { trace: (line: string) => console.log(line) } : {}),
  });
  const { workers, slots } = planOf(seed);
  console.log(
    `seed ${seed}: ${workers} workers of ${slots} slots, ${result.outcomes.join(", ")}; ` +
      `faults ${result.faults.join(", ") || "none"}; ` +
      `${result.steps} steps, ${seconds(result.virtualMs)} s of virtual time`,
  );
  tell(result);
  return result.violation === undefined ? 0 : 1;
}

function tell({ seed, violation }: ScheduleResult): void {
  if (violation !== undefined) {
    console.log(`VIOLATED ${violation.invariant}: ${violation.message}`);
    console.log(`  again: npm run simulate -- --seed ${seed} --trace`);
  }
}

async function many(fromSeed: number, schedules: number): Promise<number> {
  let told = 0;
  const report = await runMany({
    fromSeed,
    schedules,
    onProgress: (done, violations) => {
      if (done - told >= 10_000) {
        told = done;
        console.error(`${done} of ${schedules}, ${violations} violations`);
      }
    },
  });
  console.log(summary(report));
  for (const result of report.violations.slice(0, 20)) {
    tell(result);
  }
  return report.violations.length === 0 ? 0 : 1;
}

function summary(report: ManyReport): string {
  const perMinute = Math.round((report.schedules / report.tookMs) * 60_000);
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    `${report.schedules} schedules in ${seconds(report.tookMs)} s (${perMinute} a minute), ${report.violations.length} violations`,
    `${report.steps} steps, ${Math.round(report.virtualMs / 3_600_000)} h of virtual time, ${report.agentStarts} agent starts`,
    `runs: ${list(report.outcomes)}`,
    `faults: ${list(report.faults)}`,
  ].join("\n");
}

async function bugs(mostSchedules: number): Promise<number> {
  console.log(`${"bug".padEnd(56)} ${"seed".padStart(5)}  violated invariant`);
  let missed = 0;
  for (const bug of BUGS) {
    const hunt = await huntBug(bug, mostSchedules);
    missed += isCaught(hunt) ? 0 : 1;
    const by = hunt.caught?.violation.invariant ?? `not caught by ${hunt.schedules} schedules`;
    console.log(`${bug.name.padEnd(56)} ${String(hunt.caught?.seed ?? "").padStart(5)}  ${by}`);
  }
  console.log(`${BUGS.length - missed} of ${BUGS.length} caught`);
  return missed === 0 ? 0 : 1;
}

function isCaught({ bug, caught }: Hunt): boolean {
  return caught !== undefined && bug.caughtBy.includes(caught.violation.invariant);
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
