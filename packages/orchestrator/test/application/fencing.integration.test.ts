import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually, processesWith } from "@speckit/testkit";
import { expect, test } from "vitest";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import { phaseOf, requestFor, untilClosed, untilEvent, workshop } from "./workshop.ts";

const here = await workshop({ fencedByHand: true });
const WORK = { slots: 2, hostname: "here" };
/** No other process on this machine sleeps for so long. */
const UNIQUE_SECONDS = `27${process.pid}`;
const agents = () => processesWith(`sleep\0${UNIQUE_SECONDS}`);

/** Everything the database and the artifacts folder know of a run. */
async function traces(stateDir: string, runId: string) {
  const rows: unknown[] = [];
  for (const table of ["task_states", "events", "artifacts", "checkpoints"]) {
    const { rows: some } = await here.sql(
      `SELECT to_jsonb(t) AS row FROM spec_workflow_${table} t WHERE run_id = $1 ORDER BY 1`,
      [runId],
    );
    rows.push(...some);
  }
  const run = await here.sql("SELECT to_jsonb(t) AS row FROM spec_workflow_runs t WHERE id = $1", [
    runId,
  ]);
  const files = await readdir(join(stateDir, "artifacts", runId), { recursive: true });
  return {
    rows: [...rows, ...run.rows],
    files: files.filter((name) => !name.includes("plan-1/")).sort(),
  };
}

test("a worker whose run was taken ends its agent, writes nothing more, and lets the run go", async () => {
  const remote = await here.remote({
    plan: {
      onlyAttempts: [1],
      spawn: `setsid sleep ${UNIQUE_SECONDS}`,
      sleepMs: 60_000,
    },
  });
  await using open = here.open("fenced");
  await using worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message plan 1");
  await eventually("the agent's child runs", async () => (await agents()).length > 0);
  await here.sql(
    `UPDATE spec_workflow_runs SET epoch = epoch + 1, lease_owner = NULL, lease_until = NULL,
       wake_at = clock_timestamp() + interval '1 hour' WHERE id = $1`,
    [run.runId],
  );
  const before = await traces(open.stateDir, run.runId);
  await eventually("the run is let go", () => worker.inHand() === 0);
  expect(await agents()).toEqual([]);
  expect(await traces(open.stateDir, run.runId)).toEqual(before);
  expect(await readdir(join(open.stateDir, "artifacts", run.runId, "plan-1"))).toEqual([
    "environment.json",
    "prompt.md",
  ]);

  await open.orchestrator.wake(run.runId);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded", pushed: true });
  expect(phaseOf(result, "plan")).toMatchObject({ attempt: 2 });
  const plan = (await open.deps.runs.attemptsOf(run.runId)).filter((row) => row.phase === "plan");
  expect(plan.map((row) => row.state)).toEqual(["interrupted", "succeeded"]);
});

test("a worker that cannot renew its lease ends its agent before the lease does", async () => {
  const remote = await here.remote({
    specify: { onlyAttempts: [1], spawn: `setsid sleep ${UNIQUE_SECONDS}`, sleepMs: 60_000 },
  });
  let isCut = false;
  await using open = here.open("cut-off", {
    settings: { leaseMs: 3_000 },
    runs: (runs) => ({
      ...runs,
      async renewLeases(holds, leaseMs) {
        if (isCut) {
          throw new SpeckitError("DATABASE_UNAVAILABLE", "cut off");
        }
        return runs.renewLeases(holds, leaseMs);
      },
    }),
  });
  await using worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message specify 1");
  await eventually("the agent's child runs", async () => (await agents()).length > 0);
  isCut = true;
  await eventually("the run is let go", () => worker.inHand() === 0, Boolean, { everyMs: 5 });
  const { rows } = await here.sql(
    "SELECT lease_until > clock_timestamp() AS live FROM spec_workflow_runs WHERE id = $1",
    [run.runId],
  );
  expect(rows).toEqual([{ live: true }]);
  expect(await agents()).toEqual([]);
  isCut = false;
  await eventually(
    "the lease has ended",
    async () => (await open.orchestrator.find(run.runId))?.hasLiveLease === false,
  );
  await open.orchestrator.wake(run.runId);
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "succeeded" });
});
