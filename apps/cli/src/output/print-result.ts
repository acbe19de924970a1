import type { RunResult } from "@speckit/orchestrator/contract";
import { seconds, styled } from "./style.ts";

/** The end of a run, for people. */
export function printResult(result: RunResult): void {
  const lines = [
    "",
    `${styled("bold", result.status)}  run ${result.runId}`,
    `branch    ${result.branch}${result.pushed ? "" : "  (not pushed)"}`,
    ...(result.featureDirectory === null ? [] : [`feature   ${result.featureDirectory}`]),
    ...summaryLines(result, "summary   "),
    ...questionLines(result),
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
    ...summaryLines(result, "summary    "),
    ...waiting,
    ...result.phases.map((phase) =>
      [
        `  ${phase.name.padEnd(9)}`,
        phase.status.padEnd(12),
        phase.attempt > 1 ? `attempt ${phase.attempt}` : "",
        seconds(phase.durationMs),
      ]
        .join(" ")
        .trimEnd(),
    ),
    ...(result.status === "needs_input" ? questionLines(result) : []),
    ...failureLines(result),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
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

/** Questions with what is suggested; of a run that waits for answers also how they are given. */
function questionLines({ runId, status, openQuestions, answerBy }: RunResult): readonly string[] {
  const questions = openQuestions.flatMap(({ id, text, context, options = [] }) => [
    `${id}  ${text}`,
    ...(context === undefined ? [] : [`    ${context}`]),
    ...options.map(
      (option) =>
        `    ${option.key}  ${option.text}${option.implications === undefined ? "" : ` (${option.implications})`}`,
    ),
  ]);
  return status === "needs_input"
    ? [
        ...questions,
        `Answer before ${answerBy ?? "its time is over"}, for each question a text or the letter of an option, - leaves it to the agent:`,
        `  npx speckit answer ${runId} ${openQuestions.map((_, ix) => `"<answer ${ix + 1}>"`).join(" ")}`,
      ]
    : questions;
}

function failureLines({ failure }: RunResult): readonly string[] {
  return failure === undefined
    ? []
    : [styled("red", `${failure.code}: ${failure.message}`), `  ${failure.remedy}`];
}
