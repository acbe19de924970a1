import type { Explanation } from "../../contract/explanation.ts";
import { waitOf } from "../wait-of.ts";
import { adviceOf } from "./advice-of.ts";
import { budgetOf } from "./budget-of.ts";
import { headlineOf, questionsOf } from "./headline-of.ts";
import type { RunFacts } from "./run-facts.ts";
import { timelineOf } from "./timeline-of.ts";

/** Why a run is where it is, and what to do about it. Pure: the same facts give the same words. */
export function explainRun(facts: RunFacts): Explanation {
  const { run, attempts, artifacts, around } = facts;
  const wait = waitOf(run, attempts);
  const budget = budgetOf(facts);
  const { owner } = around;
  return {
    runId: run.runId,
    status: run.status,
    headline: headlineOf(facts),
    asOf: around.now.toISOString(),
    repository: run.repository,
    branch: run.branch,
    phase: phaseOf(facts),
    ...(owner === null || run.leaseUntil === null
      ? {}
      : {
          owner: {
            workerId: owner.workerId,
            host: owner.hostname,
            seenAt: owner.seenAt.toISOString(),
            leaseUntil: run.leaseUntil.toISOString(),
            isLive: run.hasLiveLease,
          },
        }),
    ...(wait === undefined ? {} : { waitsFor: wait, dueAt: run.dueAt.toISOString() }),
    ...(run.wakeAt === null ? {} : { nextLookAt: run.wakeAt.toISOString() }),
    timeline: timelineOf(facts),
    ...(budget === undefined ? {} : { budget }),
    questions: questionsOf(facts),
    lastMessages: around.lastMessages.map(({ createdAt, phase, attempt, data }) => ({
      at: createdAt.toISOString(),
      phase,
      attempt,
      text: String(data.text ?? ""),
    })),
    artifacts: artifacts.map(({ name, bytes }) => ({ name, bytes })),
    ...(run.failure === null ? {} : { failure: run.failure }),
    advice: adviceOf(facts),
  };
}

function phaseOf({ run }: RunFacts): Explanation["phase"] {
  if (run.outcome !== null) {
    return run.cleanedAt === null ? "cleanup" : null;
  }
  return run.pipeline[run.phaseIx] ?? null;
}
