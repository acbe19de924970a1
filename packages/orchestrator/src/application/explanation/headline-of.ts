import { assertNever } from "../../domain/assert-never.ts";
import type { Outcome } from "../../domain/run-state.ts";
import { waitOf } from "../wait-of.ts";
import type { RunFacts } from "./run-facts.ts";
import { durationInWords, relativeTo } from "./time-in-words.ts";

/** Where a run is and why, in one sentence that begins with a verb: its subject is the run. */
export function headlineOf(facts: RunFacts): string {
  const { run, attempts } = facts;
  if (run.outcome !== null) {
    return `${ending(facts, run.outcome)}${afterEnd(facts)}`;
  }
  if (run.hasLiveLease) {
    return carried(facts);
  }
  if (run.cancelRequested) {
    return `is to be cancelled: whoever claims it next ends it; ${nextLook(facts)}`;
  }
  const wait = waitOf(run, attempts);
  const due = relativeTo(facts.around.now, run.dueAt);
  switch (wait) {
    case "input":
    case "approval":
      return asking(facts, wait);
    case "worker":
      return run.status === "queued" ? queued(facts) : left(facts);
    case "credential":
      return resting(facts, due);
    case "fence":
      return `waits until nothing of it can be at work on its lost engine any more, due ${due}`;
    case "pull_request":
      return `waits for its next try of pull_request, due ${due}${run.pushed ? "; the branch is pushed" : ""}`;
    case "retry":
      return `waits for its next try of ${phaseOf(facts)}, due ${due}`;
    case undefined:
      return "is between two owners";
    default:
      return assertNever(wait);
  }
}

/** The phase that runs or is next. */
function phaseOf({ run }: RunFacts): string {
  return run.pipeline[run.phaseIx] ?? "its end";
}

function carried(facts: RunFacts): string {
  const { run, attempts, around } = facts;
  const who =
    around.owner === null
      ? `worker ${run.leaseOwner}`
      : `worker ${around.owner.workerId} on ${around.owner.hostname}`;
  const open = attempts.find(({ state }) => state === "running");
  const what =
    open === undefined
      ? `, before ${phaseOf(facts)}`
      : `: ${open.phase}, attempt ${open.attempt}, for ${durationInWords(open.durationMs ?? 0)}`;
  const lease = run.leaseUntil === null ? "" : relativeTo(around.now, run.leaseUntil);
  const cancel = run.cancelRequested ? "; it is to be cancelled" : "";
  return `is being carried by ${who}${what}; its lease ends ${lease} unless it is renewed${cancel}`;
}

function queued({ around }: RunFacts): string {
  const before =
    around.runsBefore === 0
      ? "no run is before it"
      : `${around.runsBefore} ${around.runsBefore === 1 ? "run is" : "runs are"} before it`;
  return `waits for a free worker; ${before}${workers(around.workersSeen)}`;
}

function workers(seen: number): string {
  return seen === 0 ? ", and no worker has been heard of for a minute" : "";
}

/** It is due, was claimed before, and nobody has it. */
function left(facts: RunFacts): string {
  const { around } = facts;
  const owner =
    around.owner === null
      ? ""
      : `; worker ${around.owner.workerId} on ${around.owner.hostname} had it, last heard of ${relativeTo(around.now, around.owner.seenAt)}`;
  const engine =
    around.engine === null
      ? ""
      : `; its container is on engine ${around.engine.engineId}, ${
          around.engine.seenAt === null
            ? "which no worker knows"
            : `last heard of ${relativeTo(around.now, around.engine.seenAt)}`
        }`;
  return `waits for a worker to go on with ${phaseOf(facts)}${owner}${engine}; ${nextLook(facts)}${workers(around.workersSeen)}`;
}

function nextLook({ run, around }: RunFacts): string {
  if (run.wakeAt === null) {
    return "nobody looks at it";
  }
  return run.wakeAt <= around.now
    ? "it is due to be looked at"
    : `looked at ${relativeTo(around.now, run.wakeAt)} at the latest`;
}

function resting({ run, around }: RunFacts, due: string): string {
  const rests = run.credential === null ? "its agent's credential" : `credential ${run.credential}`;
  const why = around.coolDown?.reason === "quota" ? "its quota is used up" : "it is rate-limited";
  return `rests for ${rests}, due ${due}${around.coolDown === null ? "" : `: ${why}`}`;
}

function asking(facts: RunFacts, wait: "input" | "approval"): string {
  const { run, attempts, around } = facts;
  const proposed = attempts.find(({ state }) => state === "proposed");
  const questions = questionsOf(facts).length;
  const wanted =
    wait === "approval"
      ? `people to approve or reject the result of ${proposed?.phase ?? phaseOf(facts)}`
      : `answers to ${questions} ${questions === 1 ? "question" : "questions"}`;
  return run.isDue
    ? `waited for ${wanted}, and the time is over: whoever claims it next ends it`
    : `waits for ${wanted}, for ${durationInWords(run.dueAt.getTime() - around.now.getTime())} more`;
}

/** Questions that are open now. */
export function questionsOf({ run, attempts }: Pick<RunFacts, "run" | "attempts">) {
  return run.status === "needs_input"
    ? (attempts.findLast(({ failure }) => failure?.code === "QUESTIONS_OPEN")?.openQuestions ?? [])
    : [];
}

function ending({ run, attempts }: RunFacts, outcome: Outcome): string {
  switch (outcome) {
    case "succeeded":
      if (run.pullRequest?.url != null) {
        return `succeeded: ${run.pullRequest.url}`;
      }
      return `succeeded: branch ${run.branch} is ${run.pushed ? "pushed" : "made, and not pushed: a dry run"}`;
    case "no_changes":
      return "ended without changes: every phase succeeded and left the tree as it was";
    case "failed": {
      const open = run.pipeline[run.phaseIx] ?? attempts.at(-1)?.phase ?? "its end";
      return `failed at ${open}: ${run.failure?.code ?? "no reason is stored"}`;
    }
    case "cancelled":
      return `was cancelled at ${run.pipeline[run.phaseIx] ?? "its end"}`;
    default:
      return assertNever(outcome);
  }
}

function afterEnd({ run, attempts, around }: RunFacts): string {
  const when = run.finishedAt === null ? "" : `, ${relativeTo(around.now, run.finishedAt)}`;
  if (run.cleanedAt !== null) {
    return when;
  }
  const isCleaning = attempts.some(
    ({ phase, state }) => phase === "cleanup" && state === "running",
  );
  return `${when}; ${isCleaning ? "cleanup is running" : "cleanup is still to come"}`;
}
