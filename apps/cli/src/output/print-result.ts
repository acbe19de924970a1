import type { RunResult } from "@speckit/orchestrator/contract";
import { seconds, styled } from "./style.ts";

/** The end of a run, for people. */
export function printResult(result: RunResult): void {
  const lines = [
    "",
    `${styled("bold", result.status)}  run ${result.runId}`,
    `branch    ${result.branch}${result.pushed ? "" : "  (not pushed)"}`,
    ...(result.featureDirectory === null ? [] : [`feature   ${result.featureDirectory}`]),
    ...result.openQuestions.map((question) => `question  ${question}`),
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
      : [`waits for ${result.waitingFor}, looked at again ${result.nextLookAt ?? ""}`];
  const lines = [
    `${styled("bold", result.status)}${since}  run ${result.runId}`,
    `repository ${result.repository}`,
    `branch     ${result.branch}${result.pushed ? "  (pushed)" : ""}`,
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
    ...failureLines(result),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function failureLines({ failure }: RunResult): readonly string[] {
  return failure === undefined
    ? []
    : [styled("red", `${failure.code}: ${failure.message}`), `  ${failure.remedy}`];
}
