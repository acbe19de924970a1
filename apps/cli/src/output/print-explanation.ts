import type { Explanation } from "@speckit/orchestrator/contract";
import { shortDuration } from "./duration.ts";
import { styled } from "./style.ts";
import { visible } from "./visible.ts";

const MOST_ARTIFACTS = 12;
const MESSAGE_LENGTH = 400;

/** One page of why a run is where it is. */
export function printExplanation(told: Explanation): void {
  const blocks = [
    [
      `${styled("bold", `Run ${told.runId}`)} ${visible(told.headline)}.`,
      ...(told.failure === undefined
        ? []
        : [`  ${styled("red", visible(`${told.failure.code}: ${told.failure.message}`))}`]),
      `  ${told.status}, ${visible(told.repository)}, branch ${visible(told.branch)}, as of ${told.asOf}`,
    ],
    waitLines(told),
    timelineLines(told),
    budgetLines(told),
    questionLines(told),
    messageLines(told),
    artifactLines(told),
    adviceLines(told),
  ];
  const text = blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  process.stdout.write(`${text}\n`);
}

function waitLines({ waitsFor, dueAt, nextLookAt, owner }: Explanation): readonly string[] {
  return [
    ...(waitsFor === undefined ? [] : [`waits for ${waitsFor}`]),
    ...(dueAt === undefined ? [] : [`due        ${dueAt}`]),
    ...(nextLookAt === undefined ? [] : [`next look  ${nextLookAt}`]),
    ...(owner === undefined
      ? []
      : [
          `${owner.isLive ? "worker    " : "was with  "} ${owner.workerId} on ${visible(owner.host)}, heard of ${owner.seenAt}, lease until ${owner.leaseUntil}`,
        ]),
  ];
}

function timelineLines({ timeline }: Explanation): readonly string[] {
  return timeline.flatMap(({ phase, attempt, state, startedAt, durationMs, failure, followed }) => {
    const name = attempt > 1 ? `${phase} ${attempt}` : phase;
    const start = startedAt?.slice(0, 19).replace("T", " ") ?? " ".repeat(19);
    const took = durationMs === null ? "" : shortDuration(durationMs);
    const line = `${start}  ${name.padEnd(15)} ${state.padEnd(11)} ${took.padStart(8)}`;
    const why =
      failure === undefined
        ? []
        : [`${" ".repeat(21)}${failure.code} (${failure.class}): ${visible(failure.message)}`];
    // That a run went on after a success goes without saying.
    const then =
      followed === undefined || state === "succeeded" ? [] : [`${" ".repeat(21)}then: ${followed}`];
    return [line.trimEnd(), ...why, ...then];
  });
}

function budgetLines({ budget, phase }: Explanation): readonly string[] {
  if (budget === undefined) {
    return [];
  }
  const retries = budget.retries.map(
    ({ class: name, granted, left }) => `${name} ${left} of ${granted}`,
  );
  return [
    `retries left of ${phase ?? "this phase"}: ${retries.join(", ")}; starts left ${budget.startsLeft}`,
  ];
}

function questionLines({ questions }: Explanation): readonly string[] {
  return questions.flatMap(({ id, text, options = [] }) => [
    visible(`${id}  ${text}`),
    ...options.map((option) => visible(`    ${option.key}  ${option.text}`)),
  ]);
}

function messageLines({ lastMessages }: Explanation): readonly string[] {
  return lastMessages.map(({ at, phase, text }) => {
    const said = visible(text.replaceAll("\n", " "));
    const short = said.length > MESSAGE_LENGTH ? `${said.slice(0, MESSAGE_LENGTH)}…` : said;
    return `${at.slice(11, 19)} ${phase ?? "agent"} said: ${short}`;
  });
}

function artifactLines({ artifacts }: Explanation): readonly string[] {
  const left = artifacts.length - MOST_ARTIFACTS;
  return artifacts.length === 0
    ? []
    : [
        "artifacts",
        ...artifacts
          .slice(-MOST_ARTIFACTS)
          .map(({ name, bytes }) => `  ${visible(name)}  ${bytes} bytes`),
        ...(left > 0 ? [`  and ${left} more: --json has them all`] : []),
      ];
}

function adviceLines({ advice }: Explanation): readonly string[] {
  return advice.flatMap(({ text, command }) => [
    visible(text),
    ...(command === undefined ? [] : [`  ${styled("bold", command)}`]),
  ]);
}
