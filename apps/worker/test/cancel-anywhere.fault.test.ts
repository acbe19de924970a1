import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failpoint, Phase } from "@speckit/orchestrator";
import { openOrchestrator } from "@speckit/orchestrator/node";
import { processesIn, seededRandom, testSeed } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentPhasesFor, FAILPOINTS_WITH_PHASES } from "./failpoint-phases.ts";
import { faultBench } from "./fault-bench.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const bench = await faultBench("cancel");
const random = seededRandom(testSeed("cancel anywhere"));

let worker: WorkerProcess;
beforeAll(async () => {
  // The hold is over between two phases, so that runs are handed on too.
  const env = { SPECKIT_SLOTS: "8", SPECKIT_HOLD_MS: "1000" };
  worker = await startWorkerProcess(bench.worker("canceller", env));
});
afterAll(async () => {
  await bench.untilQuiet();
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
});

/** From a process of its own, as `speckit cancel` does. */
const canceller = () =>
  openOrchestrator({
    databaseUrl: bench.databaseUrl,
    amqpUrl: bench.broker.url,
    amqpPrefix: bench.broker.prefix,
    stateDir: join(bench.folder, "state", "terminal"),
    logLevel: "error",
  });

test("F41: a run cancelled twice at any failpoint ends cancelled if the cancel was taken, as it would have if not", async () => {
  const points = FAILPOINTS_WITH_PHASES.filter(([point]) => point !== "sweep.picked");
  const cases = random
    .shuffle(
      points.flatMap(([point, phases]): readonly { point: Failpoint; phase?: Phase }[] =>
        phases.length === 0 ? [{ point }] : phases.map((phase) => ({ point, phase })),
      ),
    )
    .map((cut) => ({ ...cut, runId: randomUUID() }));
  const remote = await bench.remote({ specify: { sleepMs: 1_200 } });
  await using opened = await canceller();
  for (const { runId, ...cut } of cases) {
    await bench.plan.cut(runId, { ...cut, action: "wait" });
    const phases = agentPhasesFor(cut.phase);
    await bench.client.publish({ ...bench.request(remote, runId), phases });
  }
  const taken = await Promise.all(
    cases.map(async ({ runId, point }) => {
      if (point === "command.stored") {
        await bench.untilStarted(runId, "specify");
        await bench.cancel(runId);
      }
      await bench.plan.untilReached(runId, 450_000);
      const answers = [
        await opened.orchestrator.cancel(runId),
        await opened.orchestrator.cancel(runId),
      ];
      await bench.plan.go(runId);
      expect(answers[1]).toBe(answers[0]);
      return answers[0];
    }),
  );
  const runs = await bench.untilClosed(
    cases.map((one) => one.runId),
    450_000,
  );
  const outcome = new Map(runs.map((run) => [run.id, run.outcome]));
  for (const [ix, { runId, point, phase }] of cases.entries()) {
    const expected = taken[ix] === true ? "cancelled" : "succeeded";
    expect(outcome.get(runId), `${point} in ${phase}`).toBe(expected);
  }
  expect(new Set(taken)).toEqual(new Set([true, false]));
  expect(await processesIn(join(bench.worker("canceller").stateDir, "runs"))).toEqual([]);
}, 720_000);

test("F41: a cancel while the success commits: the one that came first holds, never both", async () => {
  const remote = await bench.remote();
  await using opened = await canceller();
  const runIds = Array.from({ length: 16 }, () => randomUUID());
  for (const runId of runIds) {
    await bench.plan.cut(runId, {
      point: "result.committing",
      phase: "pull_request",
      action: "wait",
    });
    await bench.client.publish({ ...bench.request(remote, runId), phases: ["specify"] });
  }
  const taken = await Promise.all(
    runIds.map(async (runId) => {
      await bench.plan.untilReached(runId);
      // Its worker looks every 20 ms whether it may go on.
      const [, answer] = await Promise.all([
        bench.plan.go(runId),
        sleep(random.int(40)).then(() => opened.orchestrator.cancel(runId)),
      ]);
      return answer;
    }),
  );
  const runs = await bench.untilClosed(runIds);
  const outcome = new Map(runs.map((run) => [run.id, run.outcome]));
  expect(runIds.map((runId) => outcome.get(runId))).toEqual(
    taken.map((answer) => (answer ? "cancelled" : "succeeded")),
  );
}, 540_000);
