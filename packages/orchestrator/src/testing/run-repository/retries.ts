import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import type { FeatureSummary } from "../../domain/spec-kit/summary.ts";
import type { RunRepository } from "../../ports/run-repository.ts";
import {
  claimed,
  ended,
  found,
  newRun,
  owned,
  perTest,
  type RunRepositoryFactory,
} from "./subject.ts";

const BASE = "1".repeat(40);
const TIP = "2".repeat(40);

const PROJECT: SpecKitProject = {
  directory: "packages/api",
  version: "1.0.1",
  script: "sh",
  featureNumbering: "sequential",
  agent: "codex",
  instructions: {
    plan: { kind: "skill", name: "speckit-plan", path: ".agents/skills/speckit-plan/SKILL.md" },
  },
  extensions: ["git"],
  hooks: "off",
  usesFeatureJson: true,
  isNew: false,
};

const SUMMARY: FeatureSummary = {
  title: "A page",
  stories: [{ id: "US1", title: "See it", priority: "P1" }],
  functionalRequirements: 3,
  successCriteria: 2,
  openQuestions: 0,
  assumptions: ["There is a browser"],
  approach: null,
  tasks: { total: 4, parallel: 1, perStory: { US1: 3 } },
};

/** A run that failed in `plan`, with a commit of `specify` to go on from. */
async function failedInPlan(runs: RunRepository) {
  const owner = await owned(runs);
  const { hold } = owner;
  const name = await runs.allotFeatureDirectory(hold, {
    highestInTree: 3,
    nameFor: (number) => `specs/00${number}-page`,
  });
  const attempt = await runs.startAttempt(hold, "specify");
  await runs.commitAttempt(hold, {
    end: { phase: "specify", attempt, state: "succeeded", changed: true },
    phaseIx: 2,
    facts: {
      baseBranch: "main",
      baseSha: BASE,
      branchOldSha: null,
      tipSha: TIP,
      specKit: PROJECT,
      summary: SUMMARY,
    },
    checkpoint: Uint8Array.of(1, 2, 3),
    events: [],
  });
  await runs.commitAttempt(hold, {
    events: [],
    outcome: { outcome: "failed", closing: () => ({ neverStarted: [], events: [] }) },
  });
  return { ...owner, name };
}

export function describeRetries(factory: RunRepositoryFactory): void {
  describe("retries", () => {
    const subject = perTest(factory);

    test("a run goes on where another one failed: its facts, its progress, its checkpoint", async () => {
      const { runs } = subject;
      const old = await failedInPlan(runs);
      const before = await found(runs, old.runId);
      const retry = newRun({ goesOn: { by: "retry", from: old.runId }, branch: before.branch });
      const result = await runs.insertRun(retry);
      expect(result).toMatchObject({ inserted: true });
      const { run } = await claimed(runs, retry.runId);
      expect(run).toMatchObject({
        retryOf: old.runId,
        featureDirectory: old.name,
        branch: before.branch,
        baseBranch: "main",
        baseSha: BASE,
        branchOldSha: null,
        tipSha: TIP,
        specKit: PROJECT,
        summary: SUMMARY,
        phaseIx: 2,
        firstPhaseIx: 2,
        changedBefore: true,
        outcome: null,
      });
      expect(Array.from((await runs.checkpointOf(retry.runId)) ?? [])).toEqual([1, 2, 3]);
      expect(await runs.attemptsOf(retry.runId)).toEqual([]);
      const [accepted] = await runs.eventsOf(retry.runId, { afterSeq: 0, limit: 1 });
      expect(accepted?.data).toMatchObject({ retryOf: old.runId, phaseIx: 2, changed: true });
      expect(await found(runs, old.runId)).toEqual(before);
    });

    test("the same retry twice is one run", async () => {
      const { runs } = subject;
      const old = await failedInPlan(runs);
      const retry = newRun({ goesOn: { by: "retry", from: old.runId } });
      const results = await Promise.all(Array.from({ length: 5 }, () => runs.insertRun(retry)));
      expect(results.filter((result) => result.inserted)).toHaveLength(1);
      expect(await runs.listRuns({})).toHaveLength(2);
    });

    test("a run that failed before it had found anything begins at the beginning", async () => {
      const { runs } = subject;
      const old = await ended(runs);
      const retry = newRun({ goesOn: { by: "retry", from: old.runId } });
      await runs.insertRun(retry);
      expect(await found(runs, retry.runId)).toMatchObject({
        phaseIx: 0,
        baseSha: null,
        changedBefore: false,
      });
      expect(await runs.checkpointOf(retry.runId)).toBeUndefined();
    });

    test("a run that goes on has the same branch to itself: another retry is told whose it is", async () => {
      const { runs } = subject;
      const { runId } = await failedInPlan(runs);
      const { branch } = await found(runs, runId);
      const first = newRun({ goesOn: { by: "retry", from: runId }, branch });
      await runs.insertRun(first);
      expect(
        await runs.insertRun(newRun({ goesOn: { by: "retry", from: runId }, branch })),
      ).toEqual({
        inserted: false,
        because: "branch_busy",
        runId: first.runId,
      });
    });

    test("nothing goes on from a run that is not over, or not there", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      const before = await subject.dump();
      for (const from of [runId, randomUUID()]) {
        await expect(runs.insertRun(newRun({ goesOn: { by: "retry", from } }))).rejects.toThrow();
      }
      expect(await subject.dump()).toEqual(before);
    });
  });
}
