import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { NewRun } from "../../ports/run-repository.ts";
import {
  claimed,
  ended,
  newRun,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

const withKey = (idempotencyKey: string, more: Partial<NewRun> = {}): NewRun => {
  const run = newRun(more);
  return { ...run, request: { ...run.request, idempotencyKey } };
};

export function describeIntake(factory: RunRepositoryFactory): void {
  describe("intake", () => {
    const subject = perTest(factory);

    test("a new run is stored as it came, with its event, queued", async () => {
      const { runs } = subject;
      const run = newRun({ replyTo: "answers", correlationId: "7", branch: "b" });
      const inserted = await runs.insertRun(run);
      const { replyTo, correlationId, requestHash: _hash, ...same } = run;
      expect(inserted).toMatchObject({ inserted: true, run: { ...same, replyTo, correlationId } });
      expect(inserted.inserted && inserted.run).toMatchObject({
        status: "queued",
        outcome: null,
        epoch: 0,
        phaseIx: 0,
        featureDirectory: null,
        hasLiveLease: false,
        isDue: true,
        cancelRequested: false,
        lastSeq: 1,
        sentSeq: 0,
      });
      expect(await runs.findRun(run.runId)).toMatchObject(same);
      expect(await runs.eventsOf(run.runId, { afterSeq: 0, limit: 10 })).toMatchObject([
        { seq: 1, type: "run.accepted", phase: null, attempt: null },
      ]);
    });

    test("the same run id with the same request is the same run, and writes nothing", async () => {
      const { runs } = subject;
      const run = newRun();
      await runs.insertRun(run);
      const before = await subject.dump();
      expect(await runs.insertRun(run)).toMatchObject({
        inserted: false,
        because: "same_request",
        run: { runId: run.runId },
      });
      expect(await subject.dump()).toEqual(before);
    });

    test("the same key with the same request is the same run under another id", async () => {
      const { runs } = subject;
      const first = withKey("k");
      await runs.insertRun(first);
      const again = withKey("k", { requestHash: first.requestHash });
      expect(await runs.insertRun(again)).toMatchObject({
        inserted: false,
        because: "same_request",
        run: { runId: first.runId },
      });
      expect(await runs.findRun(again.runId)).toBeUndefined();
    });

    test("the same id or key with another request is refused", async () => {
      const { runs } = subject;
      const first = withKey("k");
      await runs.insertRun(first);
      const refused = { inserted: false, because: "other_request", run: { runId: first.runId } };
      expect(await runs.insertRun(newRun({ runId: first.runId, requestHash: "x" }))).toMatchObject(
        refused,
      );
      expect(await runs.insertRun(withKey("k"))).toMatchObject(refused);
    });

    test("where id and key name two runs, the key decides", async () => {
      const { runs } = subject;
      const [byId, byKey] = [newRun(), withKey("k")];
      await runs.insertRun(byId);
      await runs.insertRun(byKey);
      const both = withKey("k", { runId: byId.runId, requestHash: byKey.requestHash });
      expect(await runs.insertRun(both)).toMatchObject({
        because: "same_request",
        run: { runId: byKey.runId },
      });
    });

    test("a live run's branch is its own, until its outcome", async () => {
      const { runs } = subject;
      const first = newRun({ branch: "b" });
      await runs.insertRun(first);
      const second = newRun({ branch: "b" });
      expect(await runs.insertRun(second)).toEqual({
        inserted: false,
        because: "branch_busy",
        runId: first.runId,
      });
      const elsewhere = newRun({ branch: "b", gitRemote: "https://example.org/other" });
      expect(await runs.insertRun(elsewhere)).toMatchObject({ inserted: true });
      const { hold } = await claimed(runs, first.runId);
      await runs.commitAttempt(hold, {
        events: [],
        outcome: { outcome: "failed", closing: () => ({ neverStarted: [], events: [] }) },
      });
      expect(await runs.insertRun(second)).toMatchObject({ inserted: true });
    });

    test("20 deliveries of one request at once make one run", async () => {
      const { runs } = subject;
      const requestHash = "one";
      const deliveries = Array.from({ length: 20 }, () => withKey("k", { requestHash }));
      const results = await Promise.all(deliveries.map((run) => runs.insertRun(run)));
      expect(results.filter((result) => result.inserted)).toHaveLength(1);
      const ids = results.map((result) => ("run" in result ? result.run.runId : undefined));
      expect(new Set(ids).size).toBe(1);
      expect(await runs.listRuns({})).toHaveLength(1);
    });

    test("20 requests for one branch at once make one run, and all others learn whose it is", async () => {
      const { runs } = subject;
      const requests = Array.from({ length: 20 }, () => newRun({ branch: "b" }));
      const results = await Promise.all(requests.map((run) => runs.insertRun(run)));
      const [stored] = await runs.listRuns({});
      expect(results.filter((result) => result.inserted)).toHaveLength(1);
      for (const result of results) {
        expect(result).toMatchObject(
          result.inserted
            ? { run: { runId: stored?.runId } }
            : { because: "branch_busy", runId: stored?.runId },
        );
      }
    });
  });

  describe("reading", () => {
    const subject = perTest(factory);

    test("what is not there is undefined or empty", async () => {
      const { runs } = subject;
      const runId = randomUUID();
      expect(await runs.findRun(runId)).toBeUndefined();
      expect(await runs.checkpointOf(runId)).toBeUndefined();
      expect(await runs.attemptsOf(runId)).toEqual([]);
      expect(await runs.artifactsOf(runId)).toEqual([]);
      expect(await runs.eventsOf(runId, { afterSeq: 0, limit: 10 })).toEqual([]);
      expect(await runs.unsentEvents(runId, 10)).toEqual([]);
    });

    test("a text that is no id names no run", async () => {
      const { runs } = subject;
      for (const text of ["", "latest", `${randomUUID()}x`, "'; DROP TABLE runs; --", "\u0000"]) {
        expect(await runs.findRun(text)).toBeUndefined();
        expect(await requestCancel(runs, text, randomUUID())).toBe(false);
      }
    });

    test("a run is found whatever the case of its id", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      expect(await runs.findRun(runId.toUpperCase())).toMatchObject({ runId });
    });

    test("runs are listed newest first, by status, by repository, up to a limit", async () => {
      const { runs } = subject;
      const queued = newRun();
      await runs.insertRun(queued);
      const failed = await ended(runs);
      const other = newRun({ repository: "owner/other", gitRemote: "https://example.org/other" });
      await runs.insertRun(other);
      const idsOf = async (filter: Parameters<typeof runs.listRuns>[0]) =>
        (await runs.listRuns(filter)).map((run) => run.runId);
      expect(await idsOf({})).toEqual([other.runId, failed.runId, queued.runId]);
      expect(await idsOf({ limit: 2 })).toEqual([other.runId, failed.runId]);
      expect(await idsOf({ status: "queued" })).toEqual([other.runId, queued.runId]);
      expect(await idsOf({ status: "failed" })).toEqual([failed.runId]);
      expect(await idsOf({ status: "queued", repository: "owner/other" })).toEqual([other.runId]);
      expect(await idsOf({ before: other.runId })).toEqual([failed.runId, queued.runId]);
      expect(await idsOf({ before: failed.runId, status: "failed" })).toEqual([]);
      expect(await idsOf({ before: randomUUID() })).toEqual([]);
      expect(await idsOf({ before: "no id" })).toEqual([]);
    });

    test("workers get an id of their own, the deployment has one id", async () => {
      const { runs } = subject;
      const ids = await Promise.all(Array.from({ length: 5 }, () => runs.registerWorker("host")));
      expect(new Set(ids).size).toBe(5);
      await runs.touchWorker(ids[0] ?? 0);
      const deploymentId = await runs.deploymentId();
      expect(deploymentId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(await runs.deploymentId()).toBe(deploymentId);
    });
  });
}
