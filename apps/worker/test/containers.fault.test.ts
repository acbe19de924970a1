import { eventually } from "@speckit/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { containerBench } from "./container-bench.ts";
import { OF_CONTAINERS } from "./failpoint-phases.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const bench = await containerBench("containers");
const workers: WorkerProcess[] = [];
/** For what happens in plan: whatever comes after it is another test's. */
const UP_TO_PLAN = { phases: ["specify", "plan"] };

async function worker(name: string, env: Readonly<Record<string, string>> = {}) {
  const started = await startWorkerProcess(bench.worker(name, env));
  workers.push(started);
  return started;
}

afterEach(async () => {
  for (const one of workers.splice(0)) {
    await one[Symbol.asyncDispose]();
  }
});

/** Each phase of a run was started once in one container, and every attempt is the first. */
async function expectOneStartEach(runId: string): Promise<void> {
  const starts = await bench.starts(runId);
  expect(starts.map(({ phase, attempt }) => `${phase} ${attempt}`)).toEqual([
    "specify 1",
    "plan 1",
    "tasks 1",
  ]);
  const attempts = await bench.attempts(runId);
  expect(attempts.every(({ attempt }) => attempt === 1)).toBe(true);
}

describe("workers with containers", () => {
  test.each(["SIGKILL", "SIGTERM"] as const)(
    "%s in the middle of a phase: the container goes on, another worker goes on with it, and tells its log whole",
    async (signal) => {
      const first = await worker(`first-${signal}`);
      const remote = await bench.remote({ plan: { printBytes: 3_000_000, sleepMs: 6_000 } });
      const runId = await bench.publish(remote);
      await bench.untilStarted(runId, "plan");
      const [running = ""] = await bench.list("container", "job");
      first.kill(signal);
      const { exitCode } = await first.result;
      expect(exitCode).toBe(signal === "SIGTERM" ? 0 : undefined);
      expect(await bench.list("container", "job")).toEqual([running]);
      const second = `second-${signal}`;
      await worker(second);
      await bench.untilClosed([runId]);
      await expectOneStartEach(runId);
      expect((await bench.run(runId))?.outcome).toBe("succeeded");
      const starts = await bench.starts(runId);
      expect(starts.find(({ phase }) => phase === "plan")?.containerId).toBe(running);
      const log = await bench.artifact(second, runId, "plan-1/stdout.log");
      expect(log.length).toBeGreaterThan(3_000_000);
      expect(log.split("Scripted agent, plan").length).toBe(2);
    },
    720_000,
  );

  test.each(OF_CONTAINERS)(
    "kill -9 at %s: another worker carries the run on, no agent is started twice",
    async (point) => {
      await worker(`first-${point}`);
      const remote = await bench.remote();
      const runId = crypto.randomUUID();
      await bench.plan.cut(runId, { point, phase: "plan", action: "kill" });
      await bench.publish(remote, runId, UP_TO_PLAN);
      await bench.plan.untilReached(runId, 360_000);
      await worker(`second-${point}`);
      await bench.untilClosed([runId]);
      expect((await bench.run(runId))?.outcome).toBe("succeeded");
      const starts = await bench.starts(runId);
      const agents = new Set(starts.map(({ phase, attempt }) => `${phase} ${attempt}`));
      // One start of each container there was: none is started a second time.
      expect(agents.size).toBe(starts.length);
      expect(starts.filter(({ phase }) => phase === "specify")).toHaveLength(1);
      expect(starts.filter(({ phase }) => phase === "plan")).toHaveLength(1);
    },
    720_000,
  );

  test.each(OF_CONTAINERS)(
    "H6, H7: a worker frozen at %s until another has finished the run: awake again, it starts nothing",
    async (point) => {
      const first = await worker(`frozen-${point}`);
      const runId = crypto.randomUUID();
      await bench.plan.cut(runId, { point, phase: "plan", action: "stop" });
      await bench.publish(await bench.remote(), runId, UP_TO_PLAN);
      await bench.plan.untilReached(runId, 360_000);
      await worker(`awake-${point}`);
      await bench.untilClosed([runId]);
      first.kill("SIGCONT");
      first.kill("SIGTERM");
      const { exitCode, stderr } = await first.result;
      expect(exitCode).toBe(0);
      expect(stderr).toContain('"message":"fenced');
      const phases = (await bench.starts(runId)).map(({ phase }) => phase);
      expect(phases).toEqual(UP_TO_PLAN.phases);
      expect((await bench.run(runId))?.outcome).toBe("succeeded");
    },
    720_000,
  );

  test("a cancel ends the agent's container, and nothing of it is left", async () => {
    await worker("canceller");
    const remote = await bench.remote({ specify: { sleepMs: 120_000 } });
    const runId = await bench.publish(remote);
    await bench.untilStarted(runId, "specify");
    await bench.client.publishCommand({
      schemaVersion: 1,
      commandId: crypto.randomUUID(),
      runId,
      command: "cancel",
    });
    await bench.untilClosed([runId]);
    expect((await bench.run(runId))?.outcome).toBe("cancelled");
    await eventually(
      "its container is gone",
      () => bench.list("container", "job"),
      (left) => left.length === 0,
    );
  }, 720_000);

  test("what another deployment has on the same engine is left alone", async () => {
    const image = bench.engine.image("job");
    const labels = ["speckit.deployment=00000000-0000-4000-8000-000000000000", "speckit.role=job"];
    const args = ["create", "--network", "none", ...labels.flatMap((one) => ["--label", one])];
    const other = (await bench.engine.docker([...args, image, "true"])).trim();
    try {
      await worker("neighbour");
      const runId = await bench.publish(await bench.remote(), undefined, { phases: ["specify"] });
      await bench.untilClosed([runId]);
      expect(await bench.engine.docker(["ps", "-a", "-q", "--no-trunc"])).toContain(other);
    } finally {
      await bench.engine.docker(["rm", "--force", other]);
    }
  }, 720_000);
});
