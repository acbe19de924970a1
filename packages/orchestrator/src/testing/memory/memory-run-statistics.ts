import { type RunStatistics, SLO_PERCENT } from "../../contract/statistics.ts";
import { LEFT_BY_PEOPLE } from "../../domain/left-by-people.ts";
import { PHASES } from "../../domain/phase.ts";
import { OUTCOMES } from "../../domain/run-state.ts";
import type { Wait } from "../../domain/wait.ts";
import type { RunStatisticsReader } from "../../ports/run-statistics.ts";
import type { MemoryDatabase } from "./run-repository/memory-database.ts";
import type { AttemptRow, RunRow, RunRows } from "./run-repository/rows.ts";

const DAY_MS = 86_400_000;
const MOST = 50;

/** The same sums as the database makes, run by run: slow, and easy to see to be right. */
export function memoryRunStatistics(database: MemoryDatabase): RunStatisticsReader {
  return {
    statistics: async ({ sinceMs, targetMs, repository }) => {
      const nowMs = database.now();
      const fromMs = nowMs - sinceMs;
      const all = [...database.all()].filter(
        ({ run }) => repository === undefined || run.repository === repository,
      );
      const ended = all.filter(({ run }) => (run.finishedAt ?? Number.NEGATIVE_INFINITY) >= fromMs);
      const counted = ended.filter(
        ({ run }) =>
          run.outcome !== "cancelled" &&
          !(LEFT_BY_PEOPLE as readonly unknown[]).includes(run.failure?.code),
      );
      const good = counted.filter(({ run }) => run.outcome !== "failed");
      const within = (msOf: (rows: RunRows) => number) => {
        const runs = good.filter((rows) => msOf(rows) <= targetMs).length;
        return { runs, share: counted.length === 0 ? null : runs / counted.length };
      };
      const working = within(workingMs);
      return {
        asOf: new Date(nowMs).toISOString(),
        since: new Date(fromMs).toISOString(),
        repository: repository ?? null,
        days: daysOf(all, ended, fromMs, nowMs),
        slo: {
          targetMs,
          goal: SLO_PERCENT / 100,
          counted: counted.length,
          failed: counted.length - good.length,
          working,
          wall: within(wallMs),
          isMet: counted.length === 0 ? null : working.runs * 100 >= counted.length * SLO_PERCENT,
        },
        phases: PHASES.flatMap((phase) => {
          const done = ended.flatMap(({ attempts }) =>
            attempts.filter((row) => row.phase === phase && row.state === "succeeded"),
          );
          return done.length === 0 ? [] : [{ phase, ...spreadOf(done.map(attemptMs)) }];
        }),
        workingTime: spreadOf(counted.map(workingMs)),
        wallTime: spreadOf(counted.map(wallMs)),
        queueWait: spreadOf(
          ended.flatMap(({ run }) =>
            run.startedAt === null ? [] : [run.startedAt - run.createdAt],
          ),
        ),
        failures: failuresOf(ended),
        usage: usageOf(ended),
        live: liveOf(all, nowMs),
      };
    },
  };
}

function attemptMs({ startedAt, endedAt }: AttemptRow): number {
  return startedAt === null || endedAt === null ? 0 : endedAt - startedAt;
}

function workingMs({ attempts }: RunRows): number {
  return attempts
    .filter(({ phase }) => phase !== "cleanup")
    .reduce((sum, row) => sum + attemptMs(row), 0);
}

function wallMs({ run }: RunRows): number {
  return (run.finishedAt ?? 0) - run.createdAt;
}

/** Between two measured values lies what is in proportion, as `percentile_cont` has it. */
function spreadOf(measured: readonly number[]): RunStatistics["queueWait"] {
  const sorted = measured.toSorted((a, b) => a - b);
  const at = (part: number): number | null => {
    const place = part * (sorted.length - 1);
    const low = sorted[Math.floor(place)];
    const high = sorted[Math.ceil(place)];
    return low === undefined || high === undefined
      ? null
      : Math.round(low + (high - low) * (place - Math.floor(place)));
  };
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95) };
}

function daysOf(
  all: readonly RunRows[],
  ended: readonly RunRows[],
  fromMs: number,
  nowMs: number,
): RunStatistics["days"] {
  const dayOf = (ms: number | null): number => Math.floor((ms ?? Number.NaN) / DAY_MS);
  const first = dayOf(fromMs);
  return Array.from({ length: dayOf(nowMs) - first + 1 }, (_, ix) => {
    const mine = ended.filter(({ run }) => dayOf(run.finishedAt) === first + ix);
    const [succeeded, noChanges, failed, cancelled] = OUTCOMES.map(
      (outcome) => mine.filter(({ run }) => run.outcome === outcome).length,
    );
    return {
      day: new Date((first + ix) * DAY_MS).toISOString().slice(0, 10),
      submitted: all.filter(
        ({ run }) => run.createdAt >= fromMs && dayOf(run.createdAt) === first + ix,
      ).length,
      succeeded: succeeded ?? 0,
      no_changes: noChanges ?? 0,
      failed: failed ?? 0,
      cancelled: cancelled ?? 0,
    };
  });
}

function failuresOf(ended: readonly RunRows[]): RunStatistics["failures"] {
  const sums = new Map<string, { -readonly [K in keyof Sum]: Sum[K] }>();
  const sumOf = (failure: NonNullable<RunRow["failure"]>) => {
    const { code, class: failureClass } = failure;
    const fresh = { code, class: failureClass, attempts: 0, retried: 0, runs: 0 };
    const sum = sums.get(code) ?? fresh;
    sums.set(code, sum);
    return sum;
  };
  for (const { run, attempts } of ended) {
    for (const { failure, phase, attempt } of attempts) {
      if (failure !== null) {
        const sum = sumOf(failure);
        sum.attempts += 1;
        sum.retried += attempts.some((row) => row.phase === phase && row.attempt > attempt) ? 1 : 0;
      }
    }
    if (run.failure !== null && run.outcome === "failed") {
      sumOf(run.failure).runs += 1;
    }
  }
  return [...sums.values()].sort(
    (a, b) => b.attempts - a.attempts || b.runs - a.runs || (a.code < b.code ? -1 : 1),
  );
}
type Sum = RunStatistics["failures"][number];

function usageOf(ended: readonly RunRows[]): RunStatistics["usage"] {
  const total = consumptionOf(ended);
  const by = (nameOf: (run: RunRow) => string) =>
    [...new Set(ended.map(({ run }) => nameOf(run)))]
      .map((name) => ({ name, ...consumptionOf(ended.filter(({ run }) => nameOf(run) === name)) }))
      .sort(
        (a, b) =>
          b.inputTokens + b.outputTokens - a.inputTokens - a.outputTokens ||
          b.runs - a.runs ||
          (a.name < b.name ? -1 : 1),
      )
      .slice(0, MOST);
  return {
    total,
    byRepository: by((run) => run.repository).map(({ name: repository, ...sum }) => ({
      repository,
      ...sum,
    })),
    byAgent: by((run) => run.agent).map(({ name: agent, ...sum }) => ({ agent, ...sum })),
  };
}

function consumptionOf(ended: readonly RunRows[]): RunStatistics["usage"]["total"] {
  const used = ended.flatMap(({ attempts }) =>
    attempts.flatMap(({ usage }) => (usage === null ? [] : [usage])),
  );
  const sum = (msOf: (usage: (typeof used)[number]) => number): number =>
    used.reduce((all, usage) => all + msOf(usage), 0);
  return {
    runs: ended.length,
    inputTokens: sum((usage) => usage.inputTokens),
    cachedInputTokens: sum((usage) => usage.cachedInputTokens),
    outputTokens: sum((usage) => usage.outputTokens),
    costUsd: sum((usage) => usage.costUsd ?? 0),
    attemptsWithoutCost: used.filter(
      (usage) => usage.costUsd === null && usage.inputTokens + usage.outputTokens > 0,
    ).length,
  };
}

function liveOf(all: readonly RunRows[], nowMs: number): RunStatistics["live"] {
  const live = all.filter(({ run }) => run.outcome === null);
  const isCarried = ({ run }: RunRows): boolean => (run.leaseUntil ?? 0) > nowMs;
  const resting = Map.groupBy(
    live.filter((rows) => !isCarried(rows)),
    (rows) => waitOf(rows, nowMs),
  );
  return {
    carried: live.filter(isCarried).length,
    waiting: [...resting]
      .map(([reason, rows]) => ({
        for: reason,
        runs: rows.length,
        oldest: new Date(Math.min(...rows.map(({ run }) => run.createdAt))).toISOString(),
      }))
      .sort((a, b) => b.runs - a.runs || (a.oldest < b.oldest ? -1 : 1)),
  };
}

function waitOf({ run, attempts }: RunRows, nowMs: number): Wait {
  if (run.parkedFor === "input") {
    return attempts.some(({ state }) => state === "proposed") ? "approval" : "input";
  }
  if (run.dueAt <= nowMs) {
    return "worker";
  }
  return run.parkedFor ?? (run.pipeline[run.phaseIx] === "pull_request" ? "pull_request" : "retry");
}
