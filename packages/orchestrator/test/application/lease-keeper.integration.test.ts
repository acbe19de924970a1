import { eventually } from "@speckit/testkit";
import { expect, test } from "vitest";
import { startLeaseKeeper } from "../../src/application/lease-keeper.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import type { RunRepository } from "../../src/ports/run-repository.ts";
import { requestFor, workshop } from "./workshop.ts";

const here = await workshop();
const away = () => new SpeckitError("DATABASE_UNAVAILABLE", "cut off");

/** A claimed run of a keeper whose calls of the database a test may break. */
async function held(name: string, faults: (runs: RunRepository) => Partial<RunRepository>) {
  await using undo = new AsyncDisposableStack();
  const open = undo.use(here.open(name, { settings: { leaseMs: 600, heartbeatMs: 50 } }));
  const { runs } = open.deps;
  const { run } = await open.orchestrator.submit(requestFor(`/nowhere/${name}`));
  const { runId } = run;
  undo.defer(
    async () => void (await here.sql("DELETE FROM spec_workflow_runs WHERE id = $1", [runId])),
  );
  const workerId = await runs.registerWorker("here");
  const faulty = { ...runs, ...faults(runs) };
  const keeper = undo.use(startLeaseKeeper({ ...open.deps, runs: faulty, workerId }));
  const claimedAtMs = performance.now();
  await runs.claimRun({ runId, workerId, leaseMs: 600 });
  const lease = undo.use(keeper.hold({ runId, epoch: 1 }, claimedAtMs));
  const undone = undo.move();
  return { lease, runId, [Symbol.asyncDispose]: () => undone.disposeAsync() };
}

test("a lease that is given up is not renewed, so that others need not wait for it twice", async () => {
  let isAway = true;
  let beats = 0;
  let renewals = 0;
  await using one = await held("given-up", (runs) => ({
    async renewLeases(holds, leaseMs) {
      if (isAway) {
        throw away();
      }
      renewals += holds.length;
      return runs.renewLeases(holds, leaseMs);
    },
    async touchWorker(workerId) {
      beats += 1;
      return runs.touchWorker(workerId);
    },
  }));
  await eventually("the lease is lost", () => one.lease.lost.aborted);
  isAway = false;
  const before = beats;
  await eventually("three more heartbeats", () => beats >= before + 3);
  expect(renewals).toBe(0);
});

test("a lease is renewed although the worker's own row cannot be written", async () => {
  let failed = 0;
  await using one = await held("row", () => ({
    async touchWorker() {
      failed += 1;
      throw away();
    },
  }));
  await eventually("more heartbeats than the lease lasts", () => failed >= 16);
  expect(one.lease.lost.aborted).toBe(false);
  expect(one.lease.trustedForMs()).toBeGreaterThan(0);
});

test("the answer to a late renewal does not shorten the trust a newer one has given", async () => {
  const late = Promise.withResolvers<void>();
  let calls = 0;
  await using one = await held("late", (runs) => ({
    async renewLeases(holds, leaseMs) {
      calls += 1;
      if (calls === 1) {
        await late.promise;
      }
      return runs.renewLeases(holds, leaseMs);
    },
  }));
  const trustedUntilMs: number[] = [];
  one.lease.onRenewed((trustedForMs) => trustedUntilMs.push(performance.now() + trustedForMs));
  const answers = (count: number) =>
    eventually("answers", () => trustedUntilMs.length >= count, Boolean, { everyMs: 5 });
  await answers(4);
  expect(calls).toBeGreaterThan(4);
  late.resolve();
  await answers(8);
  const rounded = trustedUntilMs.map((ms) => Math.round(ms));
  expect(rounded).toEqual(rounded.toSorted((a, b) => a - b));
});
