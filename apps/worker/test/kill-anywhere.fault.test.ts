import { randomUUID } from "node:crypto";
import { AGENT_PHASES, type Phase } from "@speckit/orchestrator";
import { seededRandom, testSeed } from "@speckit/testkit";
import { expect, test } from "vitest";
import { agentPhasesFor, FAILPOINTS_WITH_PHASES, STARTED } from "./failpoint-phases.ts";
import type { Cut } from "./failpoint-plan.ts";
import { faultBench } from "./fault-bench.ts";
import { workerPool } from "./worker-pool.ts";

const bench = await faultBench("kill-anywhere");
const random = seededRandom(testSeed("kill anywhere"));

interface Case extends Cut {
  readonly runId: string;
}

const isAgentPhase = (name: Phase) => AGENT_PHASES.some((phase) => phase === name);

const killed = (cut: Omit<Cut, "action">): Case => ({
  ...cut,
  action: "kill",
  runId: randomUUID(),
});

test("F1: a worker killed at any failpoint in any phase: another one finishes the run, and repeats nothing that was done", async () => {
  const cases = random.shuffle(
    FAILPOINTS_WITH_PHASES.flatMap(([point, phases]) =>
      phases.map((phase) => killed({ point, phase })),
    ),
  );
  const remote = await bench.remote();
  // One slot each: nobody but the run of the case is hit.
  await using pool = await workerPool(3, (name) => bench.worker(name, { SPECKIT_SLOTS: "1" }));
  for (const { runId, ...cut } of cases) {
    await bench.plan.cut(runId, cut);
    const phases = agentPhasesFor(cut.phase);
    await bench.client.publish({ ...bench.request(remote, runId), phases });
  }
  const runs = await bench.untilClosed(
    cases.map((one) => one.runId),
    1_200_000,
  );
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  await pool.untilKilled(cases.length);
  for (const { runId, point, phase } of cases) {
    const label = `${point} in ${phase}`;
    expect(await bench.plan.reached(runId), label).toMatchObject([{ point, phase }]);
    const attempts = await bench.attempts(runId);
    const asked: readonly Phase[] = agentPhasesFor(phase);
    const started = STARTED.filter((name) => asked.includes(name) || !isAgentPhase(name));
    // What its result was committed for is done; cleanup goes on with the attempt it had.
    const isRepeated = point !== "result.committed" && phase !== "cleanup";
    expect(
      attempts.map((row) => `${row.phase} ${row.attempt} ${row.state}`),
      label,
    ).toEqual(
      [...started, "cleanup"].flatMap((name) =>
        name === phase && isRepeated
          ? [`${name} 1 interrupted`, `${name} 2 succeeded`]
          : [`${name} 1 succeeded`],
      ),
    );
  }
  await bench.untilQuiet();
  await pool.drain();
}, 1_440_000);

test("F1: a worker killed at a failpoint outside of every phase: its run is neither lost nor doubled", async () => {
  const cuts = FAILPOINTS_WITH_PHASES.filter(([, phases]) => phases.length === 0).map(
    ([point]) => point,
  );
  const ofRuns = cuts.filter((point) => point !== "sweep.picked" && point !== "command.stored");
  const cases = random.shuffle([
    ...ofRuns.map((point) => killed({ point })),
    killed({ point: "run.claimed", nth: 2 }),
    killed({ point: "event.published", nth: 2 + random.int(3) }),
  ]);
  // So that the hold is over between two phases, and the run is handed on.
  const remote = await bench.remote({ specify: { onlyAttempts: [1], sleepMs: 1_200 } });
  const env = { SPECKIT_SLOTS: "1", SPECKIT_HOLD_MS: "1000" };
  await using pool = await workerPool(3, (name) => bench.worker(`outside-${name}`, env));
  for (const { runId, ...cut } of cases) {
    await bench.plan.cut(runId, cut);
    await bench.client.publish(bench.request(remote, runId));
  }
  // Its agent would work for a minute: the command is all that can end it before.
  const commanded = killed({ point: "command.stored" });
  const slow = await bench.remote({ plan: { sleepMs: 60_000 } });
  await bench.plan.cut(commanded.runId, commanded);
  await bench.client.publish(bench.request(slow, commanded.runId));
  await bench.untilStarted(commanded.runId, "plan");
  await bench.cancel(commanded.runId);

  await bench.plan.cut(undefined, { point: "sweep.picked", action: "kill" });
  const swept = await bench.storeUnheard(remote);
  await bench.plan.untilReached(undefined);
  await bench.makeDue(swept);

  const [cancelled] = await bench.untilClosed([commanded.runId]);
  expect(cancelled?.outcome).toBe("cancelled");
  const runs = await bench.untilClosed([swept, ...cases.map((one) => one.runId)], 400_000);
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  for (const { runId, point } of [commanded, ...cases]) {
    expect(await bench.plan.reached(runId), point).toMatchObject([{ point }]);
  }
  await pool.untilKilled(cases.length + 2);
  await bench.untilQuiet();
  await pool.drain();
}, 1_440_000);
