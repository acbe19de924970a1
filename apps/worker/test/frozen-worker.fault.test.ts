import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, processesIn } from "@speckit/testkit";
import { expect, test } from "vitest";
import type { Cut } from "./failpoint-plan.ts";
import { faultBench } from "./fault-bench.ts";
import { launchWorker, startWorkerProcess } from "./worker-process.ts";

const bench = await faultBench("frozen");

/** Waits until the run is claimed; wake-ups that a frozen worker swallows are made good. */
const untilTakenBy = (runId: string, epoch: number) =>
  eventually(
    `run ${runId} has the epoch ${epoch}`,
    async () => {
      await bench.wake(runId);
      return bench.run(runId);
    },
    (run) => (run?.epoch ?? 0) >= epoch,
    { withinMs: 360_000, everyMs: 1_000 },
  );

test("F6: a worker frozen for longer than its lease: its agent is gone before the next one starts, and is not missed", async () => {
  const runId = randomUUID();
  const alivePath = join(bench.folder, "alive");
  // Not the agent alone: also what it leaves in the background must be gone.
  const alive = `while :; do echo "$SPECKIT_ATTEMPT $(date +%s%3N)" >> ${alivePath}; sleep 0.05; done`;
  const remote = await bench.remote({
    plan: { onlyAttempts: [1], spawn: alive, sleepMs: 120_000 },
  });
  await bench.plan.cut(runId, { point: "agent.started", phase: "plan", action: "wait" });
  const victim = bench.worker("frozen-victim");
  await using frozen = await startWorkerProcess(victim);
  await bench.client.publish(bench.request(remote, runId));
  await bench.plan.untilReached(runId);
  await bench.untilStarted(runId, "plan");
  expect(await processesIn(join(victim.stateDir, "runs"))).not.toEqual([]);
  await bench.plan.go(runId);
  frozen.kill("SIGSTOP");

  await using other = await startWorkerProcess(bench.worker("frozen-other"));
  await untilTakenBy(runId, 2);
  await bench.untilStarted(runId, "plan", 2);
  expect(await processesIn(join(victim.stateDir, "runs"))).toEqual([]);
  // In the middle of the other's work, which is not its to disturb.
  frozen.kill("SIGCONT");

  const [closed] = await bench.untilClosed([runId]);
  expect(closed).toMatchObject({ outcome: "succeeded" });
  const lastSignMs = (await readFile(alivePath, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split(" ")[1]))
    .at(-1);
  const plans = (await bench.starts(runId)).filter((start) => start.phase === "plan");
  expect(plans.map((start) => start.attempt)).toEqual([1, 2]);
  expect(plans[1]?.atMs).toBeGreaterThan(lastSignMs ?? Number.POSITIVE_INFINITY);

  const before = await bench.dump(runId);
  await bench.untilQuiet();
  for (const worker of [frozen, other]) {
    worker.kill("SIGTERM");
    expect((await worker.result).exitCode).toBe(0);
  }
  expect(await bench.dump(runId)).toBe(before);
}, 540_000);

test("F6: a worker frozen right before it writes, starts or pushes something: awake again, it writes nothing", async () => {
  const cuts: readonly Omit<Cut, "action">[] = [
    { point: "attempt.opened", phase: "plan" },
    { point: "ticket.used", phase: "plan" },
    { point: "agent.exited", phase: "plan" },
    { point: "result.committing", phase: "plan" },
    { point: "ticket.used", phase: "publish" },
    { point: "result.committing", phase: "publish" },
    { point: "cleanup.removed", phase: "cleanup" },
  ];
  const cases = cuts.map((cut) => ({ ...cut, action: "stop" as const, runId: randomUUID() }));
  const remote = await bench.remote();
  // One run each: who is frozen cannot carry another.
  const env = { SPECKIT_SLOTS: "1" };
  await using undo = new AsyncDisposableStack();
  const victims = await Promise.all(
    cases.map(async (_, ix) =>
      undo.use(await startWorkerProcess(bench.worker(`stopped-${ix}`, env))),
    ),
  );
  for (const { runId, ...cut } of cases) {
    await bench.plan.cut(runId, cut);
    await bench.client.publish(bench.request(remote, runId));
  }
  const reached = await Promise.all(cases.map(({ runId }) => bench.plan.untilReached(runId)));
  expect(new Set(reached.map(({ pid }) => pid)).size).toBe(cases.length);

  const other = undo.use(await startWorkerProcess(bench.worker("stopped-other")));
  await Promise.all(cases.map(({ runId }) => untilTakenBy(runId, 2)));
  const runs = await bench.untilClosed(cases.map((one) => one.runId));
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  const before = await Promise.all(cases.map(({ runId }) => bench.dump(runId)));

  for (const victim of victims) {
    victim.kill("SIGCONT");
  }
  await bench.untilQuiet();
  for (const worker of [...victims, other]) {
    worker.kill("SIGTERM");
    expect((await worker.result).exitCode).toBe(0);
  }
  expect(await Promise.all(cases.map(({ runId }) => bench.dump(runId)))).toEqual(before);
  const fenced = await Promise.all(victims.map(async (victim) => (await victim.result).stderr));
  for (const [ix, log] of fenced.entries()) {
    expect(log, `victim ${ix}`).toContain("fenced");
  }
}, 720_000);

test("F23: a sweeper held up between picking a run and waking it: the run that another worker finished meanwhile stays finished", async () => {
  await bench.plan.cut(undefined, { point: "sweep.picked", action: "stop" });
  const runId = await bench.storeUnheard(await bench.remote());
  // It sweeps first of all, and is not heard of before it is awake again.
  await using sweeper = await launchWorker(bench.worker("sweeper"));
  await bench.plan.untilReached();
  await using other = await startWorkerProcess(bench.worker("sweeper-other"));
  await untilTakenBy(runId, 1);
  const [closed] = await bench.untilClosed([runId]);
  expect(closed).toMatchObject({ outcome: "succeeded", epoch: 1 });
  const before = await bench.dump(runId);
  sweeper.kill("SIGCONT");
  await bench.untilQuiet();
  for (const worker of [sweeper, other]) {
    worker.kill("SIGTERM");
    expect((await worker.result).exitCode).toBe(0);
  }
  expect(await bench.dump(runId)).toBe(before);
}, 360_000);
