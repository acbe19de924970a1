import { describe, expect, test } from "vitest";
import { explainRun } from "../../../src/application/explanation/explain-run.ts";
import type { RunFacts } from "../../../src/application/explanation/run-facts.ts";
import { explanationSchema } from "../../../src/contract/explanation.ts";
import { type ErrorCode, failure, type Phase, type RunRecord } from "../../../src/index.ts";
import type { AttemptRow, RunRow } from "../../../src/testing/memory/run-repository/rows.ts";
import { attemptRecord, runRecord } from "../../../src/testing/memory/run-repository/rows.ts";
import { sampleAttempt, sampleEnd, sampleRun } from "../../../src/testing/sample-rows.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const RUN = "0190b5a2-6b1c-7c3e-8f00-0123456789ab";
const SECOND = 1_000;
const QUESTION = { id: "Q1", text: "Which provider?" };

function explained(
  row: Partial<RunRow>,
  attempts: readonly AttemptRow[] = [],
  around: Partial<RunFacts["around"]> = {},
  record: Partial<RunRecord> = {},
) {
  const { run } = sampleRun(NOW - 600 * SECOND, { runId: RUN, ...row });
  return explanationSchema.parse(
    explainRun({
      run: { ...runRecord(run, NOW), ...record },
      attempts: attempts.map((attempt) => attemptRecord(attempt, NOW)),
      artifacts: [{ name: "plan.md", bytes: 12, sha256: "0".repeat(64) }],
      around: {
        now: new Date(NOW),
        owner: null,
        workersSeen: 2,
        runsBefore: 0,
        coolDown: null,
        engine: null,
        lastMessages: [],
        ...around,
      },
    }),
  );
}

const running = (phase: Phase, attempt: number) =>
  sampleAttempt(phase, NOW - 125 * SECOND, 0, { attempt, state: "running", endedAt: null });
const failed = (phase: Phase, attempt: number, code: ErrorCode, more: Partial<AttemptRow> = {}) =>
  sampleAttempt(phase, NOW - 300 * SECOND + attempt, SECOND, {
    attempt,
    state: "failed",
    failure: failure(code, `It was ${code}`),
    ...more,
  });
const commands = ({ advice }: ReturnType<typeof explained>) =>
  advice.flatMap(({ command }) => (command === undefined ? [] : [command]));
const owner = { workerId: 3, hostname: "host-x", seenAt: new Date(NOW - 4 * SECOND) };

describe("the headline and what to do", () => {
  test("of a run nobody has claimed: what is before it, and whether there is a worker at all", () => {
    const behind = explained({}, [], { runsBefore: 12 });
    expect(behind.headline).toBe("waits for a free worker; 12 runs are before it");
    expect(behind).toMatchObject({ status: "queued", waitsFor: "worker", phase: "prepare" });
    expect(commands(behind)).toEqual([]);
    const alone = explained({}, [], { workersSeen: 0 });
    expect(alone.headline).toContain("no worker has been heard of for a minute");
    expect(commands(alone)).toEqual(["npx speckit worker", `npx speckit resume ${RUN}`]);
  });

  test("of a run that is carried: by whom, at what, for how long", () => {
    const leaseUntil = NOW + 24 * SECOND;
    const told = explained(
      { epoch: 2, phaseIx: 2, leaseOwner: 3, leaseUntil },
      [running("plan", 2)],
      { owner },
    );
    expect(told.headline).toBe(
      "is being carried by worker 3 on host-x: plan, attempt 2, for 2 min 5 s; its lease ends in 24 s unless it is renewed",
    );
    expect(told.owner).toMatchObject({ workerId: 3, host: "host-x", isLive: true });
    expect(told.waitsFor).toBeUndefined();
    expect(commands(told)).toEqual([`npx speckit logs -f ${RUN}`]);
    const ending = explained({ epoch: 2, leaseOwner: 3, leaseUntil, cancelRequestedAt: NOW });
    expect(ending.headline).toContain("it is to be cancelled");
  });

  test("of a run whose worker is gone: who had it, where its container is, when somebody looks", () => {
    const told = explained(
      { epoch: 2, phaseIx: 2, leaseOwner: 3, leaseUntil: NOW - SECOND, wakeAt: NOW + 4 * SECOND },
      [running("plan", 1)],
      { owner, engine: { engineId: "ENGINE", seenAt: new Date(NOW - 90 * SECOND) } },
    );
    expect(told.headline).toBe(
      "waits for a worker to go on with plan; worker 3 on host-x had it, last heard of 4 s ago; its container is on engine ENGINE, last heard of 1 min 30 s ago; looked at in 4 s at the latest",
    );
    expect(told.owner).toMatchObject({ isLive: false });
  });

  test("of a run that waits for its next try: when that is, and how to have it now", () => {
    const wait = { epoch: 2, dueAt: NOW + 40 * SECOND, wakeAt: NOW + 55 * SECOND };
    const told = explained({ ...wait, phaseIx: 2 }, [failed("plan", 1, "GIT_UNREACHABLE")]);
    expect(told.headline).toBe("waits for its next try of plan, due in 40 s");
    expect(told).toMatchObject({
      waitsFor: "retry",
      dueAt: "2026-11-30T12:00:40.000Z",
      nextLookAt: "2026-11-30T12:00:55.000Z",
    });
    expect(commands(told)).toEqual([`npx speckit resume ${RUN}`]);
    expect(told.advice[0]?.text).toContain("check the network");
    const host = explained({ ...wait, phaseIx: 5, pushed: true });
    expect(host).toMatchObject({ waitsFor: "pull_request" });
    expect(host.headline).toContain("the branch is pushed");
  });

  test("of a run that rests for a limit: whose it is and until when", () => {
    const until = NOW + 3_600 * SECOND;
    const told = explained(
      { epoch: 2, phaseIx: 1, parkedFor: "credential", credential: "codex", dueAt: until },
      [],
      { coolDown: { credential: "codex", until: new Date(until), reason: "quota" } },
    );
    expect(told.headline).toBe("rests for credential codex, due in 1 h: its quota is used up");
    expect(told.waitsFor).toBe("credential");
  });

  test("of a run whose engine is lost: that nothing may start before it is over there", () => {
    const told = explained({ epoch: 2, parkedFor: "fence", dueAt: NOW + 60 * SECOND });
    expect(told.headline).toContain("lost engine");
    expect(told).toMatchObject({ waitsFor: "fence", advice: [{ text: "It goes on by itself." }] });
  });

  test("of a run that asks: how many questions, how long still, how to answer", () => {
    const told = explained(
      { epoch: 2, phaseIx: 1, parkedFor: "input", dueAt: NOW + 7 * 86_400 * SECOND },
      [failed("specify", 1, "QUESTIONS_OPEN", { openQuestions: [QUESTION, QUESTION] })],
    );
    expect(told.headline).toBe("waits for answers to 2 questions, for 7 d more");
    expect(told.questions).toHaveLength(2);
    expect(commands(told)[0]).toBe(`npx speckit answer ${RUN} "<answer 1>" "<answer 2>"`);
    const late = explained({ epoch: 2, parkedFor: "input", dueAt: NOW - SECOND });
    expect(late.headline).toContain("the time is over");
  });

  test("of a run that waits for approval: whose result, and both ways to decide", () => {
    const told = explained({ epoch: 2, phaseIx: 1, parkedFor: "input", dueAt: NOW + 60 * SECOND }, [
      sampleAttempt("specify", NOW - 90 * SECOND, SECOND, { state: "proposed" }),
    ]);
    expect(told.headline).toBe(
      "waits for people to approve or reject the result of specify, for 1 min more",
    );
    expect(commands(told).map((command) => command.split(" ")[2])).toEqual(["approve", "reject"]);
  });

  test("of a run that nobody has and that is to be cancelled: who will end it", () => {
    const told = explained({ epoch: 1, cancelRequestedAt: NOW, wakeAt: NOW + 5 * SECOND });
    expect(told.headline).toBe(
      "is to be cancelled: whoever claims it next ends it; looked at in 5 s at the latest",
    );
  });

  test("of a failed run: where and why, the remedy, and the command that goes on", () => {
    const told = explained(
      {
        ...sampleEnd("failed", NOW - 60 * SECOND),
        phaseIx: 2,
        failure: failure("REPOSITORY_NOT_FOUND", "There is none"),
      },
      [failed("plan", 1, "REPOSITORY_NOT_FOUND")],
    );
    expect(told.headline).toBe("failed at plan: REPOSITORY_NOT_FOUND, 1 min ago");
    expect(told.phase).toBeNull();
    expect(told.advice[0]?.text).toContain("Check the address");
    expect(commands(told)).toEqual([`npx speckit retry ${RUN}`]);
  });

  test("of a run that ended well: what came of it, and whether cleanup is still to come", () => {
    const end = { ...sampleEnd("succeeded", NOW - 5 * SECOND), cleanedAt: null, wakeAt: NOW };
    const dry = explained(
      { ...end, phaseIx: 6, tipSha: "b", baseSha: "a" },
      [],
      {},
      { request: { dryRun: true } as RunRecord["request"] },
    );
    expect(dry.headline).toContain("not pushed: a dry run, 5 s ago; cleanup is still to come");
    expect(dry.phase).toBe("cleanup");
    expect(commands(dry)).toEqual([`npx speckit publish ${RUN}`]);
    const unchanged = explained(sampleEnd("no_changes", NOW));
    expect(unchanged).toMatchObject({ advice: [] });
    const stopped = explained(sampleEnd("cancelled", NOW));
    expect(commands(stopped)).toEqual([`npx speckit retry ${RUN}`]);
  });
});

describe("the timeline", () => {
  test("says what was decided after each attempt, and what is left of each budget", () => {
    const told = explained({ epoch: 2, phaseIx: 2, leaseOwner: 3, leaseUntil: NOW + SECOND }, [
      sampleAttempt("specify", NOW - 400 * SECOND, SECOND),
      failed("plan", 1, "GIT_UNREACHABLE"),
      failed("plan", 2, "GIT_UNREACHABLE"),
      failed("plan", 3, "POSTCONDITION_FAILED"),
      failed("plan", 4, "WORKER_REPLACED", { state: "interrupted" }),
      running("plan", 5),
    ]);
    expect(told.timeline.map(({ followed }) => followed)).toEqual([
      "the run went on",
      "tried again after at most 5 s, or when the other side had said",
      "tried again after at most 30 s, or when the other side had said",
      "tried again with the findings in the prompt",
      "started again; no retry is spent",
      undefined,
    ]);
    expect(told.timeline[1]).toMatchObject({
      durationMs: 1_000,
      failure: { code: "GIT_UNREACHABLE", class: "transient" },
    });
    expect(told.budget).toEqual({
      startsLeft: 15,
      retries: [
        { class: "transient", granted: 3, left: 1 },
        { class: "timeout", granted: 1, left: 1 },
        { class: "invalid_output", granted: 2, left: 1 },
      ],
    });
  });

  test("says why the last attempt ended the run, also where its class would have been retried", () => {
    const end = { ...sampleEnd("failed", NOW), phaseIx: 2 };
    const lastOf = (attempts: readonly AttemptRow[]) =>
      explained(end, attempts).timeline.at(-1)?.followed;
    expect(lastOf([failed("plan", 1, "REPOSITORY_NOT_FOUND")])).toBe(
      "the run ended: trying again does not help",
    );
    const three = [1, 2, 3].map((attempt) => failed("plan", attempt, "POSTCONDITION_FAILED"));
    expect(lastOf(three)).toBe("the run ended: no retry was left for failures of this class");
    expect(lastOf([failed("plan", 1, "GIT_UNREACHABLE")])).toBe("the run ended");
  });
});
