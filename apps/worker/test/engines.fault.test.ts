import { setTimeout as sleep } from "node:timers/promises";
import { namesOf } from "@speckit/orchestrator/rabbitmq";
import {
  type ContainerStart,
  eventually,
  git,
  type OwnEngine,
  openOwnEngine,
  rowsOf,
  watchContainerStarts,
} from "@speckit/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { containerBench } from "./container-bench.ts";
import { endWait, makeDue } from "./run-rows.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

/**
 * Two real engines with a data folder each: `one` is the test's own, and is lost in the end; `two` is
 * the engine of all tests.
 */
const bench = await containerBench("engines");
const workers: WorkerProcess[] = [];
const onOne: ContainerStart[] = [];
let one: OwnEngine;
let watching: Disposable;

beforeAll(async () => {
  one = await openOwnEngine();
  await one.load(bench.engine, ["job", "worker"]);
  watching = watchContainerStarts(
    one.dockerHost,
    await bench.deploymentId(),
    (start) => void onOne.push(start),
  );
}, 360_000);

afterAll(async () => {
  watching?.[Symbol.dispose]();
  await one?.[Symbol.asyncDispose]();
}, 120_000);

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    await worker[Symbol.asyncDispose]();
  }
});

async function worker(name: string, on: "one" | "two", env: Readonly<Record<string, string>> = {}) {
  const dockerHost = on === "one" ? one.dockerHost : bench.engine.dockerHost;
  const started = await startWorkerProcess(
    bench.worker(name, { DOCKER_HOST: dockerHost, SPECKIT_SLOTS: "1", ...env }),
  );
  workers.push(started);
  return started;
}

const named = (starts: readonly ContainerStart[], runId: string) =>
  starts
    .filter((start) => start.runId === runId)
    .map(({ phase, attempt }) => `${phase} ${attempt}`);

const untilStartedOnOne = (runId: string, name: string) =>
  eventually(
    `${name} has started on the first engine`,
    () => named(onOne, runId),
    (starts) => starts.includes(name),
    { withinMs: 360_000, everyMs: 200 },
  );

/** Jobs' containers that run on the first engine. */
const runningOnOne = async () => {
  const filters = ["--filter", "label=speckit.role=job", "--filter", "status=running"];
  return (await one.docker(["ps", "--quiet", "--no-trunc", ...filters]))
    .split("\n")
    .filter(Boolean);
};

/** The engine of a run's open attempt; undefined when there is none. */
async function engineOf(runId: string): Promise<string | undefined> {
  const [row] = await rowsOf<{ engine_id: string }>(
    bench.databaseUrl,
    "SELECT engine_id FROM spec_workflow_task_states WHERE run_id = $1 AND state = 'running'",
    [runId],
  );
  return row?.engine_id;
}

/** Nobody has told of an engine for so long that it is lost, as if the time had passed. */
const loseEngine = (engineId: string | undefined) =>
  rowsOf(
    bench.databaseUrl,
    `UPDATE spec_workflow_workers SET engine_seen_at = engine_seen_at - interval '91 s'
     WHERE engine_id = $1`,
    [engineId],
  );

const untilEnded = (runId: string, phase: string, attempt: number) =>
  eventually(
    `${phase} ${attempt} has ended`,
    async () => (await bench.attempts(runId)).find((row) => row.phase === phase),
    (row) => row?.state !== "running",
    { withinMs: 120_000, everyMs: 200 },
  );

describe("two engines", () => {
  test("an engine that is only busy keeps its runs: a free worker of another one takes none", async () => {
    const [first, second] = [await worker("one-a", "one"), await worker("one-b", "one")];
    const remote = await bench.remote({ plan: { sleepMs: 20_000 } });
    const runIds = [await bench.publish(remote), await bench.publish(remote)];
    for (const runId of runIds) {
      await untilStartedOnOne(runId, "plan 1");
    }
    await worker("two-free", "two");
    // The other worker of the engine has no slot free, and goes on with the container all the same.
    first.kill("SIGTERM");
    expect((await first.result).exitCode).toBe(0);
    expect(await runningOnOne()).toHaveLength(2);
    // Now nobody of the engine is there. What is to be done with their containers waits in its queue.
    second.kill("SIGTERM");
    expect((await second.result).exitCode).toBe(0);
    const queue = namesOf(bench.broker.prefix).engine((await engineOf(runIds[0] ?? "")) ?? "");
    await eventually(
      "wake-ups wait",
      () => bench.client.depth(queue),
      (count) => count > 0,
      {
        withinMs: 60_000,
        everyMs: 200,
      },
    );
    await eventually("both agents are done", runningOnOne, (left) => left.length === 0, {
      withinMs: 120_000,
      everyMs: 200,
    });
    // Time for many looks of the free worker's sweeper.
    await sleep(5_000);
    for (const runId of runIds) {
      expect((await bench.attempts(runId)).at(-1)).toMatchObject({
        phase: "plan",
        state: "running",
      });
      expect(await bench.starts(runId)).toEqual([]);
    }
    await worker("one-c", "one");
    await bench.untilClosed(runIds);
    for (const runId of runIds) {
      expect((await bench.run(runId))?.outcome).toBe("succeeded");
      expect(named(onOne, runId).slice(0, 2)).toEqual(["specify 1", "plan 1"]);
      // Where tasks is begun is open again: a phase that is done binds no engine.
      expect([...named(onOne, runId), ...named(await bench.starts(runId), runId)]).toEqual([
        "specify 1",
        "plan 1",
        "tasks 1",
      ]);
    }
  }, 720_000);

  test("an engine that nobody hears of, while its agent goes on: the agent ends itself before another one starts elsewhere", async () => {
    const first = await worker("one-d", "one");
    const remote = await bench.remote({ tasks: { onlyAttempts: [1], sleepMs: 600_000 } });
    const runId = await bench.publish(remote);
    await untilStartedOnOne(runId, "tasks 1");
    const [container = ""] = await runningOnOne();
    first.kill("SIGKILL");
    await first.result;
    await worker("two-e", "two");
    await loseEngine(await engineOf(runId));
    await makeDue(bench.databaseUrl, runId);
    expect(await untilEnded(runId, "tasks", 1)).toMatchObject({
      state: "interrupted",
      failure: { code: "ENGINE_LOST" },
    });
    // The fence is waited for as it is.
    await bench.untilClosed([runId]);
    expect((await bench.run(runId))?.outcome).toBe("succeeded");
    const [second] = await bench.starts(runId);
    expect(named(await bench.starts(runId), runId)).toEqual(["tasks 2"]);
    const state = ["inspect", "--format", "{{.State.Running}} {{.State.FinishedAt}}", container];
    const [running, finishedAt = ""] = (await one.docker(state)).trim().split(" ");
    expect(running).toBe("false");
    expect(Date.parse(finishedAt)).toBeLessThan(second?.atMs ?? 0);
    // Heard of again, the engine gets rid of what it still has of the run.
    await worker("one-f", "one");
    await eventually(
      "nothing is left there",
      () => one.docker(["ps", "--all", "--quiet", "--filter", `label=speckit.run=${runId}`]),
      (left) => left === "",
      { withinMs: 180_000, everyMs: 500 },
    );
  }, 900_000);

  test("an engine that vanishes with its volumes after plan: the other one runs tasks alone, on the branch of what was done", async () => {
    const first = await worker("one-g", "one");
    const remote = await bench.remote({ tasks: { onlyAttempts: [1], sleepMs: 600_000 } });
    const runId = await bench.publish(remote);
    await untilStartedOnOne(runId, "tasks 1");
    const [before] = await rowsOf<{ tip_sha: string; branch: string }>(
      bench.databaseUrl,
      "SELECT tip_sha, branch FROM spec_workflow_runs WHERE id = $1",
      [runId],
    );
    const engineId = await engineOf(runId);
    await one.vanish();
    first.kill("SIGKILL");
    await first.result;
    await worker("two-h", "two");
    await loseEngine(engineId);
    await makeDue(bench.databaseUrl, runId);
    await untilEnded(runId, "tasks", 1);
    await endWait(bench.databaseUrl, runId);
    await bench.untilClosed([runId]);
    expect((await bench.run(runId))?.outcome).toBe("succeeded");
    expect(named(onOne, runId)).toEqual(["specify 1", "plan 1", "tasks 1"]);
    expect(named(await bench.starts(runId), runId)).toEqual(["tasks 2"]);
    const { tip_sha: plan = "", branch = "" } = before ?? {};
    const log = await git(remote, "log", "--format=%H", `main..${branch}`);
    expect(log.split("\n")).toEqual([expect.any(String), plan, expect.any(String)]);
  }, 720_000);
});
