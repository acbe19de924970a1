import type { RunStatistics } from "@speckit/orchestrator/contract";
import { bar } from "./bar.ts";
import { shortDuration } from "./duration.ts";
import { styled } from "./style.ts";
import { tableLines } from "./table.ts";
import { visible } from "./visible.ts";

const BAR_WIDTH = 24;
const MOST_REPOSITORIES = 10;

/** Statistics for people. Bars are blocks on a terminal, else number signs. */
export function printStatistics(told: RunStatistics): void {
  const blocks = [
    heading(told),
    dayLines(told),
    sloLines(told),
    durationLines(told),
    failureLines(told),
    usageLines(told),
    liveLines(told),
  ];
  const text = blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  process.stdout.write(`${text}\n`);
}

function heading({ since, asOf, repository }: RunStatistics): readonly string[] {
  const minute = (moment: string): string => moment.slice(0, 16).replace("T", " ");
  const of = repository === null ? "" : ` of ${visible(repository)}`;
  return [styled("bold", `Runs${of} from ${minute(since)} to ${minute(asOf)} UTC`)];
}

function dayLines({ days }: RunStatistics): readonly string[] {
  const ended = days.map((day) => day.succeeded + day.no_changes + day.failed + day.cancelled);
  const most = Math.max(...ended, 1);
  const lines = tableLines(
    ["day", "submitted", "succeeded", "no changes", "failed", "cancelled"],
    days.map(({ day, submitted, succeeded, no_changes, failed, cancelled }) => [
      day,
      ...[submitted, succeeded, no_changes, failed, cancelled].map(String),
    ]),
  );
  const width = Math.max(...lines.map(({ length }) => length));
  return lines.map((line, ix) =>
    ix === 0
      ? line
      : `${line.padEnd(width)}  ${bar(ended[ix - 1] ?? 0, most, BAR_WIDTH, process.stdout.isTTY)}`.trimEnd(),
  );
}

function sloLines({ slo }: RunStatistics): readonly string[] {
  const target = shortDuration(slo.targetMs);
  if (slo.counted === 0) {
    return [`Within ${target}: no run to count`];
  }
  const line = (name: string, { runs, share }: typeof slo.working): string => {
    const percent = `${(Math.floor((share ?? 0) * 1_000) / 10).toFixed(1)} %`;
    const shown = bar(share ?? 0, 1, BAR_WIDTH, process.stdout.isTTY);
    return `  ${name.padEnd(13)} ${percent.padStart(7)}  ${runs} of ${slo.counted}  ${shown}`.trimEnd();
  };
  const goal = `goal ${Math.round(slo.goal * 100)} % by working time: ${slo.isMet === true ? "met" : "missed"}`;
  return [
    `Within ${target} (${slo.isMet === true ? goal : styled("red", goal)})`,
    line("working time", slo.working),
    line("wall time", slo.wall),
    ...(slo.failed === 0 ? [] : [`  ${slo.failed} failed; those are never within`]),
  ];
}

function durationLines(told: RunStatistics): readonly string[] {
  const { phases, workingTime, wallTime, queueWait } = told;
  const rows = [
    ...phases.map(({ phase, ...spread }) => [phase, spread] as const),
    ["run, working", workingTime] as const,
    ["run, wall", wallTime] as const,
    ["queue wait", queueWait] as const,
  ].filter(([, { count }]) => count > 0);
  return rows.length === 0
    ? []
    : tableLines(
        ["duration", "count", "p50", "p95"],
        rows.map(([name, { count, p50Ms, p95Ms }]) => [
          name,
          String(count),
          shortDuration(p50Ms),
          shortDuration(p95Ms),
        ]),
      );
}

function failureLines({ failures }: RunStatistics): readonly string[] {
  return failures.length === 0
    ? []
    : tableLines(
        ["failure", "attempts", "retried", "runs failed"],
        failures.map(({ code, attempts, retried, runs }) => [
          code,
          ...[attempts, retried, runs].map(String),
        ]),
      );
}

function usageLines({ usage }: RunStatistics): readonly string[] {
  const row = (name: string, used: RunStatistics["usage"]["total"]): readonly string[] => [
    visible(name),
    String(used.runs),
    String(used.inputTokens),
    String(used.outputTokens),
    `${used.costUsd.toFixed(2)}${used.attemptsWithoutCost > 0 ? "+" : ""}`,
  ];
  const { byRepository, byAgent, total } = usage;
  if (total.runs === 0) {
    return [];
  }
  const left = byRepository.length - MOST_REPOSITORIES;
  return [
    ...tableLines(
      ["used by", "runs", "tokens in", "tokens out", "USD"],
      [
        ...byRepository
          .slice(0, MOST_REPOSITORIES)
          .map(({ repository, ...used }) => row(repository, used)),
        ...byAgent.map(({ agent, ...used }) => row(`agent ${agent}`, used)),
        row("all", total),
      ],
    ),
    ...(left > 0 ? [`and ${left} more repositories: --json has up to 50`] : []),
    ...(total.attemptsWithoutCost > 0
      ? [`+ and what ${total.attemptsWithoutCost} attempts cost, which is not known`]
      : []),
  ];
}

function liveLines({ live }: RunStatistics): readonly string[] {
  return [
    `Now: ${live.carried} carried${live.waiting.length === 0 ? ", none waiting" : ""}`,
    ...live.waiting.map(
      (wait) =>
        `  ${wait.runs} ${wait.runs === 1 ? "waits" : "wait"} for ${WAITS[wait.for]}, the oldest stored ${wait.oldest.slice(0, 16).replace("T", " ")} UTC`,
    ),
  ];
}

const WAITS = {
  worker: "a worker",
  retry: "the next try",
  pull_request: "the next try at the pull request's host",
  credential: "a limit of a credential to end",
  fence: "a lost engine",
  input: "answers",
  approval: "approval",
} as const;
