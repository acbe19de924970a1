import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { STARTED } from "./failpoint-phases.ts";
import { faultBench } from "./fault-bench.ts";
import { startWorkerProcess } from "./worker-process.ts";

const bench = await faultBench("cut-deliveries");

test("F2: a worker killed between a run's last commit and the ack: the message comes again, finds everything done, and changes nothing", async () => {
  const runId = randomUUID();
  await bench.plan.cut(runId, { point: "delivery.judged", action: "kill" });
  await using first = await startWorkerProcess(bench.worker("judged-first"));
  await bench.client.publish(bench.request(await bench.remote(), runId));
  expect((await first.result).signal).toBe("SIGKILL");
  const [closed] = await bench.untilClosed([runId]);
  expect(closed).toMatchObject({ outcome: "succeeded", epoch: 1 });
  const before = await bench.dump(runId);

  await using second = await startWorkerProcess(bench.worker("judged-second"));
  await bench.untilQuiet();
  second.kill("SIGTERM");
  expect((await second.result).exitCode).toBe(0);
  expect(await bench.dump(runId)).toBe(before);
  expect(await bench.starts(runId)).toHaveLength(3);
}, 360_000);

test("F3: a worker killed between a commit and the publish that follows from it: the sweeper publishes instead", async () => {
  const runId = randomUUID();
  // The failed attempt's commit gives the run back and lets it wait; the delayed message is missing.
  await bench.plan.cut(runId, { point: "result.committed", phase: "plan", action: "kill" });
  const remote = await bench.remote({ plan: { onlyAttempts: [1], exitCode: 7 } });
  await using first = await startWorkerProcess(bench.worker("waiting-first"));
  await bench.client.publish(bench.request(remote, runId));
  expect((await first.result).signal).toBe("SIGKILL");
  await using second = await startWorkerProcess(bench.worker("waiting-second"));
  const [closed] = await bench.untilClosed([runId]);
  expect(closed).toMatchObject({ outcome: "succeeded", epoch: 2 });
  const plan = (await bench.attempts(runId)).filter((row) => row.phase === "plan");
  expect(plan.map((row) => row.state)).toEqual(["failed", "succeeded"]);
  await bench.untilQuiet();
  second.kill("SIGTERM");
  expect((await second.result).exitCode).toBe(0);
}, 360_000);

test("F3: a worker killed between handing a run on and its wake-up: the wake-up it held comes again and serves", async () => {
  const runId = randomUUID();
  await bench.plan.cut(runId, { point: "run.released", action: "kill" });
  const remote = await bench.remote({ specify: { sleepMs: 1_200 } });
  const env = { SPECKIT_HOLD_MS: "1000" };
  await using first = await startWorkerProcess(bench.worker("released-first", env));
  await bench.client.publish(bench.request(remote, runId));
  expect((await first.result).signal).toBe("SIGKILL");
  await using second = await startWorkerProcess(bench.worker("released-second"));
  const [closed] = await bench.untilClosed([runId]);
  expect(closed).toMatchObject({ outcome: "succeeded", epoch: 2 });
  const attempts = (await bench.attempts(runId)).map(({ phase, attempt }) => `${phase} ${attempt}`);
  expect(attempts).toEqual([...STARTED, "cleanup"].map((phase) => `${phase} 1`));
  await bench.untilQuiet();
  second.kill("SIGTERM");
  expect((await second.result).exitCode).toBe(0);
}, 360_000);
