import type { RunResult } from "@speckit/orchestrator/contract";
import { keptLine } from "./kept-line.ts";
import { seconds, styled } from "./style.ts";

const MAX_ASSUMPTIONS = 20;

/** The end of a run, for people. */
export function printResult(result: RunResult): void {
  const lines = [
    "",
    `${styled("bold", result.status)}  run ${result.runId}`,
    `branch    ${result.branch}${result.pushed ? "" : "  (not pushed)"}`,
    ...pullRequestLines(result, "pull      "),
    ...(result.featureDirectory === null ? [] : [`feature   ${result.featureDirectory}`]),
    ...summaryLines(result, "summary   "),
    ...assumptionLines(result),
    ...inputLines(result),
    ...failureLines(result),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Where a run is, for people. */
export function printStatus(result: RunResult, noWorkerSince: Date | undefined): void {
  const since =
    noWorkerSince === undefined
      ? ""
      : ` (no worker since ${noWorkerSince.toTimeString().slice(0, 5)})`;
  const waiting =
    result.waitingFor === undefined
      ? []
      : [
          `waits for ${result.waitingFor}, looked at again ${result.nextLookAt ?? result.answerBy ?? ""}`,
        ];
  const lines = [
    `${styled("bold", result.status)}${since}  run ${result.runId}`,
    `repository ${result.repository}`,
    `branch     ${result.branch}${result.pushed ? "  (pushed)" : ""}`,
    ...pullRequestLines(result, "pull       "),
    ...summaryLines(result, "summary    "),
    ...waiting,
    ...result.phases.map((phase) =>
      [
        `  ${phase.name.padEnd(12)}`,
        phase.status.padEnd(12),
        phase.attempt > 1 ? `attempt ${phase.attempt}` : "",
        seconds(phase.durationMs),
      ]
        .join(" ")
        .trimEnd(),
    ),
    ...artifactLines(result),
    ...(result.status === "needs_input" ? inputLines(result) : []),
    ...failureLines(result),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Of a run that is over or kept: before that there is nothing to say. */
function artifactLines(result: RunResult): readonly string[] {
  const { artifacts, artifactsExpireAt, artifactsDeletedAt, kept } = result;
  if (artifactsExpireAt === undefined && kept === undefined) {
    return [];
  }
  const date = (text: string | undefined): Date | null =>
    text === undefined ? null : new Date(text);
  const line = keptLine({
    expireAt: date(artifactsExpireAt),
    deletedAt: date(artifactsDeletedAt),
    kept: kept === undefined ? null : { since: new Date(kept.since), reason: kept.reason },
  });
  return [
    artifactsDeletedAt === undefined
      ? `artifacts  ${artifacts.length}, ${line}`
      : `artifacts  ${line}`,
  ];
}

/** Where it is, or what would have been opened and why it was not. */
function pullRequestLines(
  { pullRequest, artifactsDeletedAt }: RunResult,
  label: string,
): readonly string[] {
  if (pullRequest === undefined) {
    return [];
  }
  const { url, how, state, draft, title, base, labels, notes } = pullRequest;
  const into = base === null ? "the default branch" : base;
  const what = `${draft ? "draft" : "pull request"} into ${into}, labels ${labels.join(", ") || "none"}: ${title}`;
  const line =
    url === null
      ? `not opened: ${what} (its text ${artifactsDeletedAt === undefined ? "is" : "was"} the artifact pull-request.md)`
      : `${url}  (${how === "left" ? `${state}, left as it is` : `${draft ? "draft, " : ""}${how}`})`;
  const indent = " ".repeat(label.length);
  return [`${label}${line}`, ...notes.map((note) => `${indent}${note}`)];
}

function summaryLines({ summary }: RunResult, label: string): readonly string[] {
  if (summary === undefined) {
    return [];
  }
  const { stories, functionalRequirements, successCriteria, assumptions, tasks } = summary;
  const priorities = stories.map(
    ({ id, priority }) => `${id}${priority === null ? "" : ` ${priority}`}`,
  );
  const parts = [
    `${count(stories.length, "story", "stories")}${priorities.length === 0 ? "" : ` (${priorities.slice(0, 8).join(", ")}${priorities.length > 8 ? ", …" : ""})`}`,
    count(functionalRequirements, "requirement"),
    count(successCriteria, "success criterion", "success criteria"),
    ...(tasks === null
      ? []
      : [
          `${count(tasks.total, "task")}${tasks.parallel === 0 ? "" : ` (${tasks.parallel} parallel)`}`,
        ]),
    ...(assumptions.length === 0 ? [] : [count(assumptions.length, "assumption")]),
  ];
  return [`${label}${parts.join(", ")}`];
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** What the run has gone on with, or will once it is approved. */
function assumptionLines({ assumptions }: RunResult): readonly string[] {
  const left = assumptions.length - MAX_ASSUMPTIONS;
  return [
    ...assumptions.slice(0, MAX_ASSUMPTIONS).map((text) => `assumes   ${text}`),
    ...(left > 0 ? [`          and ${left} more: --json has them all`] : []),
  ];
}

/** What people may want to decide, and of a run that waits for them how they do it. */
function inputLines(result: RunResult): readonly string[] {
  const { runId, status, openQuestions, approval, answerBy } = result;
  const before = `before ${answerBy ?? "its time is over"}`;
  if (approval !== undefined) {
    const { phase, file, artifact } = approval;
    return [
      ...questionLines(result),
      `${phase} waits for approval: ${file}, kept as the artifact ${artifact}. Decide ${before}:`,
      `  npx speckit approve ${runId}`,
      `  npx speckit reject ${runId} --comment "<what is to be done otherwise>"`,
    ];
  }
  if (status === "needs_input") {
    return [
      ...questionLines(result),
      `Answer ${before}, for each question a text or the letter of an option, - leaves it to the agent:`,
      `  npx speckit answer ${runId} ${openQuestions.map((_, ix) => `"<answer ${ix + 1}>"`).join(" ")}`,
    ];
  }
  return questionLines(result);
}

/** Questions with what is suggested. */
function questionLines({ openQuestions }: RunResult): readonly string[] {
  return openQuestions.flatMap(({ id, text, context, options = [] }) => [
    `${id}  ${text}`,
    ...(context === undefined ? [] : [`    ${context}`]),
    ...options.map(
      (option) =>
        `    ${option.key}  ${option.text}${option.implications === undefined ? "" : ` (${option.implications})`}`,
    ),
  ]);
}

function failureLines({ failure }: RunResult): readonly string[] {
  return failure === undefined
    ? []
    : [styled("red", `${failure.code}: ${failure.message}`), `  ${failure.remedy}`];
}
