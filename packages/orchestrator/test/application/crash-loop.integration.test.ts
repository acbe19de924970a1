import { expect, test } from "vitest";
import { pipelineFor } from "../../src/domain/phase.ts";
import type { RunRepository } from "../../src/ports/run-repository.ts";
import {
  eventsOf,
  type OpenWorkshop,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 1, hostname: "here" };

/** Claims the run as a worker that dies right after: its lease is over, its session is gone. */
async function claimAndDie(runs: RunRepository, runId: string): Promise<number> {
  const workerId = await runs.registerWorker("dead");
  const claim = await runs.claimRun({ runId, workerId, leaseMs: 6_000 });
  if (!claim.claimed) {
    throw new Error(`not claimed: ${claim.because}`);
  }
  return claim.run.epoch;
}

const expireLease = (runId: string) =>
  here.sql(
    "UPDATE spec_workflow_runs SET lease_until = clock_timestamp() - interval '1 second', wake_at = clock_timestamp() WHERE id = $1",
    [runId],
  );

const makeDue = (runId: string) =>
  here.sql(
    "UPDATE spec_workflow_runs SET due_at = clock_timestamp(), wake_at = clock_timestamp() WHERE id = $1",
    [runId],
  );

async function submitted(open: OpenWorkshop) {
  const remote = await here.remote();
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  return { remote, runId: run.runId };
}

test("the fourth worker that dies over an attempt charges it; the run goes on after a pause", async () => {
  await using open = here.open("taken-over");
  const { runId } = await submitted(open);
  const { runs } = open.deps;
  const epoch = await claimAndDie(runs, runId);
  await runs.startAttempt({ runId, epoch }, "prepare");
  for (let deaths = 1; deaths < 4; deaths += 1) {
    await expireLease(runId);
    await claimAndDie(runs, runId);
  }
  await expireLease(runId);
  await using _worker = await open.orchestrator.work(WORK);
  await untilEvent(open.orchestrator, runId, "run.waiting prepare");
  const events = await eventsOf(open.orchestrator, runId);
  expect(events.find((event) => event.type === "phase.failed")?.data).toMatchObject({
    failure: { code: "SUPERVISOR_CRASHED", class: "transient" },
  });
  await makeDue(runId);
  const result = await untilClosed(open.orchestrator, runId);
  expect(result).toMatchObject({ status: "succeeded" });
  expect(phaseOf(result, "prepare")).toMatchObject({ attempt: 2 });
});

test("three deaths are only interruptions: no budget is spent, nothing waits", async () => {
  await using open = here.open("interrupted");
  const { runId } = await submitted(open);
  const { runs } = open.deps;
  const epoch = await claimAndDie(runs, runId);
  await runs.startAttempt({ runId, epoch }, "prepare");
  for (let deaths = 1; deaths < 3; deaths += 1) {
    await expireLease(runId);
    await claimAndDie(runs, runId);
  }
  await expireLease(runId);
  await using _worker = await open.orchestrator.work(WORK);
  const result = await untilClosed(open.orchestrator, runId);
  expect(result).toMatchObject({ status: "succeeded" });
  const types = (await eventsOf(open.orchestrator, runId)).map((event) => event.type);
  expect(types).toContain("phase.interrupted");
  expect(types).not.toContain("run.waiting");
});

test("claims that come to nothing, one after another, end as a failed attempt too", async () => {
  await using open = here.open("idle");
  const { runId } = await submitted(open);
  for (let claims = 0; claims < 11; claims += 1) {
    await claimAndDie(open.deps.runs, runId);
    await expireLease(runId);
  }
  await using _worker = await open.orchestrator.work(WORK);
  await untilEvent(open.orchestrator, runId, "run.waiting prepare");
  expect(await open.orchestrator.result(runId)).toMatchObject({
    phases: expect.arrayContaining([
      expect.objectContaining({
        name: "prepare",
        failure: expect.objectContaining({ code: "SUPERVISOR_CRASHED" }),
      }),
    ]),
  });
  await makeDue(runId);
  expect(await untilClosed(open.orchestrator, runId)).toMatchObject({ status: "succeeded" });
});

test("cleaning up that ends each worker is given up, and the run is closed all the same", async () => {
  await using open = here.open("cleanup");
  const { runId, remote } = await submitted(open);
  const { runs } = open.deps;
  await open.orchestrator.cancel(runId);
  const epoch = await claimAndDie(runs, runId);
  await runs.commitAttempt(
    { runId, epoch },
    {
      events: [],
      outcome: {
        outcome: "cancelled",
        closing: () => ({
          neverStarted: pipelineFor().map((phase) => ({ phase, state: "cancelled" })),
          events: [
            {
              type: "run.cancelled",
              data: {
                repository: remote.path,
                branch: "none",
                baseSha: null,
                headSha: null,
                featureDirectory: null,
                pushed: false,
              },
            },
          ],
        }),
      },
    },
  );
  await runs.startAttempt({ runId, epoch }, "cleanup");
  for (let deaths = 1; deaths < 5; deaths += 1) {
    await expireLease(runId);
    await claimAndDie(runs, runId);
  }
  await expireLease(runId);
  await using _worker = await open.orchestrator.work(WORK);
  await untilClosed(open.orchestrator, runId);
  const events = await eventsOf(open.orchestrator, runId);
  const closing = events.find(
    (event) => event.type === "phase.succeeded" && event.phase === "cleanup",
  );
  expect(closing?.data.trouble).toContain("died while cleaning up");
});
