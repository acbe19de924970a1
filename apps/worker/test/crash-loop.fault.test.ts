import { randomUUID } from "node:crypto";
import { eventually } from "@speckit/testkit";
import { expect, test } from "vitest";
import { faultBench } from "./fault-bench.ts";
import { workerPool } from "./worker-pool.ts";

const bench = await faultBench("crash-loop");

test("F33: an agent whose output ends every worker that reads it: its run fails by count, and no other is harmed", async () => {
  const runId = randomUUID();
  await bench.plan.cut(runId, {
    point: "agent.output",
    phase: "plan",
    action: "kill",
    always: true,
  });
  const remote = await bench.remote();
  await using pool = await workerPool(2, (name) => bench.worker(name, { SPECKIT_SLOTS: "1" }));
  await bench.client.publish(bench.request(remote, runId));
  const others = Array.from({ length: 4 }, () => randomUUID());
  for (const other of others) {
    await bench.client.publish(bench.request(remote, other));
  }
  // Between two charged attempts it waits for 5 s, 30 s and 2 min: not here.
  const [failed] = await eventually(
    "the run is given up",
    async () => {
      await bench.endWait(runId);
      return [await bench.run(runId)];
    },
    ([run]) => run?.cleaned === true,
    { withinMs: 400_000, everyMs: 200 },
  );
  expect(failed).toMatchObject({ outcome: "failed", failure: { code: "SUPERVISOR_CRASHED" } });

  const plan = (await bench.attempts(runId)).filter((row) => row.phase === "plan");
  expect(plan.map((row) => row.attempt)).toEqual(plan.map((_, ix) => ix + 1));
  const charged = plan.filter((row) => row.state === "failed");
  expect(charged.map((row) => row.failure?.code)).toEqual(Array(4).fill("SUPERVISOR_CRASHED"));
  // At most four owners die for each attempt that is charged.
  expect(plan).toHaveLength(16);
  await pool.untilKilled(16);

  const runs = await bench.untilClosed(others);
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  await bench.untilQuiet();
  await pool.drain();
}, 1_440_000);
