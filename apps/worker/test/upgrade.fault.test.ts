import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { eventually, rowsOf } from "@speckit/testkit";
import { expect, test } from "vitest";
import { faultBench } from "./fault-bench.ts";
import { nextVersion } from "./next-version.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const RUNS = 100;
const bench = await faultBench("upgrade");

const started = async (name: string, main?: string) => {
  const { failpoints: _, ...settings } = bench.worker(name, { SPECKIT_SLOTS: "8" });
  return startWorkerProcess({ ...settings, ...(main === undefined ? {} : { main }) });
};

/** Of these runs, by what a worker has told of them in its log. */
const carried = (stderr: string, runIds: readonly string[]) =>
  runIds.filter((runId) => stderr.includes(runId));

test("workers of two versions side by side, over a migration with 100 runs in flight: none is lost, none done twice", async () => {
  const main = await nextVersion(join(bench.folder, "next"));
  const remote = await bench.remote({ specify: { sleepMs: 400 } });
  const runIds = Array.from({ length: RUNS }, () => randomUUID());
  const progress = async () => {
    const [row] = await rowsOf<{ claimed: number; over: number }>(
      bench.databaseUrl,
      `SELECT count(*) FILTER (WHERE epoch > 0)::int AS claimed,
              count(*) FILTER (WHERE outcome IS NOT NULL)::int AS over FROM spec_workflow_runs`,
    );
    return row ?? { claimed: 0, over: 0 };
  };
  const untilOver = (count: number) =>
    eventually(`${count} runs are over`, progress, ({ over }) => over >= count, {
      withinMs: 240_000,
      everyMs: 50,
    });

  const old: WorkerProcess[] = [await started("old-1"), await started("old-2")];
  for (const runId of runIds) {
    await bench.client.publish({ ...bench.request(remote, runId), phases: ["specify"] });
  }
  await untilOver(10);
  // It migrates before it takes anything, with both old ones at work.
  await using first = await started("new-1", main);
  expect((await progress()).over).toBeLessThan(RUNS - 30);
  // An old one that dies comes back: its supervisor knows nothing of the upgrade.
  old[0]?.kill("SIGKILL");
  old.push(await started("old-3"));
  await untilOver(50);
  await using second = await started("new-2", main);
  const ended = await Promise.all(
    old.slice(1).map((worker) => {
      worker.kill("SIGTERM");
      return worker.result;
    }),
  );
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const runs = await bench.untilClosed(runIds);
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  await bench.untilQuiet();
  first.kill("SIGTERM");
  second.kill("SIGTERM");
  const logs = [await first.result, await second.result, ...ended].map(({ stderr }) => stderr);
  // Each had its part: the old one that came back too.
  for (const log of logs) {
    expect(carried(log, runIds)).not.toEqual([]);
  }
  const [schema] = await rowsOf<{ weighed: number }>(
    bench.databaseUrl,
    "SELECT count(*) FILTER (WHERE weight > 1)::int AS weighed FROM spec_workflow_runs",
  );
  expect(schema?.weighed).toBeGreaterThan(0);
}, 400_000);
