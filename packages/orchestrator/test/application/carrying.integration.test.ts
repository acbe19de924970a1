import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { eventually, git } from "@speckit/testkit";
import { expect, test } from "vitest";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import type { RunRepository } from "../../src/ports/run-repository.ts";
import {
  eventsOf,
  expectArtifacts,
  named,
  namesOf,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };

/** Carries the call out, and then loses its answer, the first time it is called. */
function losesFirstAnswer(
  runs: RunRepository,
  name: "startAttempt" | "releaseRun" | "claimRun" | "finishCleanup",
) {
  let isLost = false;
  return {
    ...runs,
    // biome-ignore lint/suspicious/noExplicitAny: any one of four methods, passed on as it came.
    async [name](...args: any[]) {
      // biome-ignore lint/suspicious/noExplicitAny: see above
      const answer = await (runs[name] as any)(...args);
      if (!isLost) {
        isLost = true;
        throw new SpeckitError("DATABASE_UNAVAILABLE", "the answer is lost");
      }
      return answer;
    },
  };
}

test("a run goes from its request to its branch: each phase once, every artifact is its row, nothing else is left", async () => {
  const remote = await here.remote();
  await using open = here.open("complete");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded", pushed: true });
  expect(await remote.starts()).toEqual(["specify 1", "plan 1", "tasks 1"]);
  expect(await git(remote.path, "rev-parse", result.branch)).toBe(result.headSha);
  expect(namesOf(result)).toEqual(
    expect.arrayContaining([
      "specify-1/prompt.md",
      "plan-1/stdout.log",
      "tasks-1/changes.patch",
      "run.patch",
      "checkpoint.bundle",
      "result.json",
    ]),
  );
  await expectArtifacts(open.stateDir, result);
  expect(await readdir(join(open.stateDir, "runs"))).toEqual([]);
});

test("the database's connections are cut while an agent works: the agent goes on, and is not started again", async () => {
  const remote = await here.remote({ plan: { sleepMs: 3_000 } });
  await using open = here.open("database-cut");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message plan 1");
  const cut: number[] = [];
  for (let cuts = 0; cuts < 3; cuts += 1) {
    const { rows } = await here.sql(
      `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(rows.length).toBeGreaterThan(0);
    cut.push(...rows.map(({ pid }) => Number(pid)));
    // Until it has come back for its next heartbeat; a connection that is cut is still seen for a while.
    await eventually("a new connection", async () => {
      const { rows: live } = await here.sql(
        `SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE '%heartbeat'`,
      );
      return live.some(({ pid }) => !cut.includes(Number(pid)));
    });
  }
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded", pushed: true });
  expect(await remote.starts()).toEqual(["specify 1", "plan 1", "tasks 1"]);
  expect((await open.orchestrator.find(run.runId))?.epoch).toBe(1);
});

test("an answer that is lost on the way costs at most an attempt, not the lease", async () => {
  const remote = await here.remote();
  await using open = here.open("lost-start", {
    runs: (runs) => losesFirstAnswer(runs, "startAttempt"),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result.status).toBe("succeeded");
  expect(phaseOf(result, "prepare")).toMatchObject({ status: "succeeded", attempt: 2 });
  expect((await open.orchestrator.find(run.runId))?.epoch).toBe(1);
});

test("a claim that was not answered is made again, without waiting for its own lease", async () => {
  const remote = await here.remote();
  await using open = here.open("lost-claim", {
    runs: (runs) => losesFirstAnswer(runs, "claimRun"),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.started prepare 1");
  const [, first, second] = await eventsOf(open.orchestrator, run.runId);
  expect(named([first, second].flatMap((event) => event ?? []))).toEqual([
    "run.started",
    "run.claimed",
  ]);
  const waitedMs = (second?.createdAt.getTime() ?? 0) - (first?.createdAt.getTime() ?? 0);
  expect(waitedMs).toBeLessThan(open.deps.settings.leaseMs);
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "succeeded" });
});

test("a run whose closing was not answered is closed, and nobody tries to clean up again", async () => {
  const remote = await here.remote();
  const begun: string[] = [];
  await using open = here.open("lost-closing", {
    runs: (runs) => ({
      ...losesFirstAnswer(runs, "finishCleanup"),
      startAttempt(hold, phase) {
        begun.push(phase);
        return runs.startAttempt(hold, phase);
      },
    }),
  });
  {
    await using _worker = await open.orchestrator.work(WORK);
    const { run } = await open.orchestrator.submit(requestFor(remote.path));
    expect((await untilClosed(open.orchestrator, run.runId)).status).toBe("succeeded");
  }
  expect(begun.filter((phase) => phase === "cleanup")).toHaveLength(1);
});

test("a run whose hand-over was not answered is handed over once", async () => {
  const remote = await here.remote();
  await using open = here.open("lost-release", {
    runs: (runs) => losesFirstAnswer(runs, "releaseRun"),
    settings: { holdMs: 0 },
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "run.handed_over");
  await untilEvent(open.orchestrator, run.runId, "run.claimed");
  const first = (await eventsOf(open.orchestrator, run.runId)).slice(0, 4);
  expect(named(first)).toEqual(["run.accepted", "run.started", "run.handed_over", "run.claimed"]);
  const [, , left, taken] = first.map((event) => event.createdAt.getTime());
  expect((taken ?? 0) - (left ?? 0)).toBeLessThan(open.deps.settings.leaseMs);
  await open.orchestrator.cancel(run.runId);
  await untilClosed(open.orchestrator, run.runId);
});

test("a commit that is never answered holds nobody up for longer than the lease is trusted", async () => {
  const remote = await here.remote();
  const asked = Promise.withResolvers<void>();
  await using open = here.open("no-answer", {
    settings: { leaseMs: 3_000 },
    runs: (runs) => ({
      ...runs,
      commitAttempt() {
        asked.resolve();
        return new Promise(() => {});
      },
      async renewLeases() {
        throw new SpeckitError("DATABASE_UNAVAILABLE", "no answer either");
      },
    }),
  });
  await using worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await asked.promise;
  expect(worker.inHand()).toBe(1);
  await eventually("the slot is free", () => worker.inHand() === 0, Boolean, {
    withinMs: 5_000,
  });
  await here.sql("DELETE FROM spec_workflow_runs WHERE id = $1", [run.runId]);
});

test("limits.deadlineMs bounds the working time, getting ready included", async () => {
  const remote = await here.remote({ specify: { sleepMs: 60_000 } });
  await using open = here.open("deadline", {
    runs: (runs) => ({
      ...runs,
      async useStartTicket(...about) {
        await setTimeout(2_000);
        return runs.useStartTicket(...about);
      },
    }),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const limits = { deadlineMs: 4_000 };
  const { run } = await open.orchestrator.submit(requestFor(remote.path, { limits }));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "failed",
    failure: { code: "RUN_DEADLINE_EXCEEDED" },
  });
  const worked = result.phases
    .filter(({ name }) => name !== "cleanup")
    .reduce((sum, phase) => sum + (phase.durationMs ?? 0), 0);
  expect(worked).toBeGreaterThanOrEqual(4_000);
  expect(worked).toBeLessThan(6_000);
});

test("the hours until somebody takes over from a dead worker are no working time", async () => {
  const remote = await here.remote();
  await using open = here.open("dead-worker");
  const { runs, settings } = open.deps;
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const workerId = await runs.registerWorker("dead");
  const claim = await runs.claimRun({ runId: run.runId, workerId, leaseMs: settings.leaseMs });
  expect(claim.claimed).toBe(true);
  await runs.startAttempt({ runId: run.runId, epoch: 1 }, "prepare");
  await here.sql(
    `UPDATE spec_workflow_runs SET lease_until = lease_until - interval '5 hours' WHERE id = $1`,
    [run.runId],
  );
  await here.sql(
    `UPDATE spec_workflow_task_states SET started_at = started_at - interval '5 hours'
     WHERE run_id = $1`,
    [run.runId],
  );
  await using _worker = await open.orchestrator.work(WORK);
  await open.orchestrator.wake(run.runId);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded" });
  const attempts = await runs.attemptsOf(run.runId);
  expect(attempts[0]).toMatchObject({ phase: "prepare", state: "interrupted" });
  expect(attempts[0]?.durationMs).toBeLessThanOrEqual(settings.leaseMs + 1_000);
});
