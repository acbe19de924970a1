import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { migrateDatabase } from "@speckit/orchestrator/node";
import {
  commitCuttingProxy,
  eventually,
  seededRandom,
  startPrivatePostgres,
  tcpProxy,
  testSeed,
} from "@speckit/testkit";
import { afterAll, expect, test } from "vitest";
import { faultBench } from "./fault-bench.ts";
import { startWorkerProcess } from "./worker-process.ts";

/** A server of this file's own: it is restarted, which the other files would not like. */
const postgres = await startPrivatePostgres();
afterAll(() => postgres[Symbol.asyncDispose]());
await migrateDatabase(postgres.url);
const bench = await faultBench("database", { databaseUrl: postgres.url });
const random = seededRandom(testSeed("database faults"));

test("F17: PostgreSQL crashing every few seconds while runs go on: all of them succeed, and nothing is done twice", async () => {
  const remote = await bench.remote({
    specify: { sleepMs: 500 },
    plan: { sleepMs: 500 },
    tasks: { sleepMs: 500 },
  });
  await using first = await startWorkerProcess(bench.worker("crash-first"));
  await using second = await startWorkerProcess(bench.worker("crash-second"));
  const runIds = Array.from({ length: 12 }, () => randomUUID());
  for (const runId of runIds) {
    await bench.client.publish(bench.request(remote, runId));
  }
  let restarts = 0;
  const over = new AbortController();
  const crashing = (async () => {
    while (!over.signal.aborted && restarts < 12) {
      await sleep(2_500 + random.int(2_000), undefined, { signal: over.signal }).catch(() => {});
      if (!over.signal.aborted) {
        await postgres.restart();
        restarts += 1;
      }
    }
  })();
  const runs = await bench.untilClosed(runIds, 450_000).finally(async () => {
    over.abort();
    await crashing;
  });
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  expect(restarts).toBeGreaterThan(0);
  await bench.untilQuiet();
  for (const worker of [first, second]) {
    worker.kill("SIGTERM");
    expect((await worker.result).exitCode).toBe(0);
  }
}, 720_000);

test("F18: the database gone in the middle of a sweep: what was picked is looked at again, nothing is skipped", async () => {
  await using proxy = await tcpProxy(postgres.url);
  const remote = await bench.remote();
  await bench.plan.cut(undefined, { point: "sweep.picked", action: "wait" });
  const runIds = [];
  for (let run = 0; run < 3; run += 1) {
    runIds.push(await bench.storeUnheard(remote));
  }
  const urls = { databaseUrl: proxy.url };
  await using sweeper = await startWorkerProcess(bench.worker("sweep", {}, urls));
  await bench.plan.untilReached();
  proxy.refuse();
  proxy.cut();
  await bench.plan.go();
  // The next sweeps find no database at all.
  await eventually(
    "it is asked for in vain",
    () => proxy.refused(),
    (refused) => refused >= 5,
    { withinMs: 60_000 },
  );
  const untouched = await Promise.all(runIds.map((runId) => bench.run(runId)));
  expect(untouched.map((run) => run?.epoch)).toEqual([0, 0, 0]);
  proxy.accept();
  const runs = await bench.untilClosed(runIds);
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  await bench.untilQuiet();
  sweeper.kill("SIGTERM");
  expect((await sweeper.result).exitCode).toBe(0);
}, 450_000);

test("F20: connections cut at their COMMIT, before or after it happened: it is read again, never guessed, and nothing is stored twice", async () => {
  let commits = 0;
  await using proxy = await commitCuttingProxy(postgres.url, () => {
    commits += 1;
    // The first ones are the migration's and the worker's own start.
    return commits > 4 && random.oneIn(4) ? random.pick(["unsent", "unanswered"]) : undefined;
  });
  const remote = await bench.remote();
  const urls = { databaseUrl: proxy.url };
  const direct = { DATABASE_DIRECT_URL: postgres.url };
  await using worker = await startWorkerProcess(bench.worker("commit", direct, urls));
  const runIds = Array.from({ length: 6 }, () => randomUUID());
  for (const runId of runIds) {
    await bench.client.publish(bench.request(remote, runId));
  }
  const runs = await bench.untilClosed(runIds);
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  const { unsent, unanswered } = proxy.cuts();
  expect(unsent).toBeGreaterThan(0);
  expect(unanswered).toBeGreaterThan(0);
  const attempts = (await Promise.all(runIds.map((runId) => bench.attempts(runId)))).flat();
  expect(attempts.filter((row) => row.state === "failed")).toEqual([]);
  await bench.untilQuiet();
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
}, 450_000);
