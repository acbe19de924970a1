import { eventually } from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunResult } from "../../src/contract/index.ts";
import { openWorld, type Pace, type World } from "./container-world.ts";

/** Agents work for a moment, but for the one of `plan`, which somebody wants to catch at work. */
const longPlan: Pace = ({ phase }) => (phase === "plan" ? 1_500 : 20);

describe("agents in containers", () => {
  let world: World;
  const open = async (pace?: Pace): Promise<World> => {
    world = await openWorld(pace);
    return world;
  };
  beforeEach(() => {
    expect.hasAssertions();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const startsOf = (phase: string) => world.starts.filter((start) => start.phase === phase);
  const started = (phase: string, times = 1) =>
    eventually(
      `${phase} was started ${times} times`,
      async () => startsOf(phase).length,
      (count) => count === times,
      { withinMs: 10_000, everyMs: 10 },
    );
  const ended = (runId: string, withinMs = 15_000): Promise<RunResult> =>
    eventually(
      "the run has ended",
      () => world.orchestrator.result(runId),
      (result) => result.status === "succeeded" || result.status === "cancelled",
      { withinMs, everyMs: 20 },
    );
  const rowsOf = async (runId: string) => (await ended(runId)).phases;

  test("a run goes through its phases, one start each, and leaves nothing on its engine", async () => {
    const { engine, worker, submit, starts } = await open();
    const here = engine("one");
    await worker(here);
    const runId = await submit();
    expect((await ended(runId)).status).toBe("succeeded");
    expect(starts.map(({ phase }) => phase)).toEqual(["specify", "plan", "tasks"]);
    await eventually(
      "nothing is left",
      async () => (await here.runtime().engine?.list())?.length,
      (left) => left === 0,
      { withinMs: 5_000, everyMs: 20 },
    );
  });

  test("a worker dies in the middle of a phase: the next goes on with the same container, and tells everything once", async () => {
    const { engine, worker, submit, orchestrator } = await open(longPlan);
    const here = engine("one");
    const first = await worker(here);
    const runId = await submit();
    await started("plan");
    first.freeze();
    await worker(here);
    const phases = await rowsOf(runId);
    expect(startsOf("plan")).toHaveLength(1);
    expect(phases.find(({ name }) => name === "plan")).toMatchObject({ attempt: 1 });
    const told = (await orchestrator.events(runId)).filter(({ phase }) => phase === "plan");
    const messages = told.filter(({ type }) => type === "phase.message").map(({ data }) => data);
    expect(messages).toEqual([{ text: "begun plan 1" }, { text: "done" }]);
    expect(told.filter(({ type }) => type === "phase.agent")).toHaveLength(1);
  });

  test("a worker stops in the middle of a phase: the agent goes on, and no attempt is spent", async () => {
    const { engine, worker, submit } = await open(longPlan);
    const here = engine("one");
    const first = await worker(here);
    const runId = await submit();
    await started("plan");
    await first.worker.drain();
    expect(here.running()).toMatchObject([{ phase: "plan", attempt: 1 }]);
    await worker(here);
    const phases = await rowsOf(runId);
    expect(startsOf("plan")).toHaveLength(1);
    expect(phases.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  test.each(["container.created", "container.placed"] as const)(
    "a worker that sleeps at %s starts nothing when it wakes up after another has taken over",
    async (point) => {
      const { engine, worker, submit, starts } = await open();
      const here = engine("one");
      const asleep = Promise.withResolvers<void>();
      const awake = Promise.withResolvers<void>();
      let isFirst = true;
      const first = await worker(here, async (reached, { phase }) => {
        if (reached === point && phase === "plan" && isFirst) {
          isFirst = false;
          asleep.resolve();
          await awake.promise;
        }
      });
      const runId = await submit();
      await asleep.promise;
      first.freeze();
      await worker(here);
      expect((await ended(runId)).status).toBe("succeeded");
      first.thaw();
      awake.resolve();
      await eventually(
        "the one that slept has noticed",
        async () => first.logs.some((line) => line.startsWith("fenced")),
        (isNoticed) => isNoticed,
        { withinMs: 5_000, everyMs: 20 },
      );
      expect(starts.map(({ phase }) => phase)).toEqual(["specify", "plan", "tasks"]);
      expect(here.running()).toEqual([]);
    },
  );

  test("an engine that is only busy keeps its run: no other one takes it", async () => {
    const { engine, worker, submit, starts } = await open(longPlan);
    const [one, two] = [engine("one"), engine("two")];
    const first = await worker(one);
    const runId = await submit();
    await started("plan");
    await worker(two);
    await first.worker.drain();
    // Wake-ups come to the other engine's worker all the while; the sweeper sends them.
    await eventually(
      "plan's agent is done",
      async () => one.running().length,
      (running) => running === 0,
      { withinMs: 5_000, everyMs: 20 },
    );
    world.passTime(20_000);
    expect((await world.orchestrator.result(runId)).status).toBe("in_progress");
    expect(starts.filter(({ engineId }) => engineId === "two")).toEqual([]);
    await worker(one);
    expect((await ended(runId)).status).toBe("succeeded");
    expect(startsOf("plan")).toMatchObject([{ engineId: "one", attempt: 1 }]);
  });

  test("an engine that is lost loses its run: the phase begins again elsewhere, after the fence, and never two at once", async () => {
    const { engine, worker, submit, mostAtOnce, passTime } = await open(({ phase, attempt }) =>
      phase === "plan" && attempt === 1 ? 60_000 : 20,
    );
    const [one, two] = [engine("one"), engine("two")];
    const first = await worker(one);
    const runId = await submit();
    await started("plan");
    first.freeze();
    one.cutOff();
    await worker(two);
    passTime(91_000);
    const result = await ended(runId);
    expect(result.status).toBe("succeeded");
    expect(startsOf("specify")).toMatchObject([{ engineId: "one" }]);
    expect(startsOf("plan")).toMatchObject([
      { engineId: "one", attempt: 1 },
      { engineId: "two", attempt: 2 },
    ]);
    expect(startsOf("tasks")).toHaveLength(1);
    expect(mostAtOnce()).toBe(1);
    const events = await world.orchestrator.events(runId);
    expect(events.find(({ type }) => type === "phase.interrupted")?.data).toMatchObject({
      failure: { code: "ENGINE_LOST", class: "host_lost" },
    });
  });

  test("an engine that comes back removes what it still has of a run that went on elsewhere", async () => {
    const { engine, worker, submit, passTime } = await open(({ phase, attempt }) =>
      phase === "plan" && attempt === 1 ? 60_000 : 20,
    );
    const [one, two] = [engine("one"), engine("two")];
    const first = await worker(one);
    const runId = await submit();
    await started("plan");
    first.freeze();
    one.cutOff();
    await worker(two);
    passTime(91_000);
    await ended(runId);
    one.join();
    first.thaw();
    const left = async () => (await one.runtime().engine?.list(runId))?.length;
    expect(await left()).toBe(1);
    // Until now it was younger than what a look may remove.
    passTime(60_000);
    await eventually("nothing is left", left, (count) => count === 0, {
      withinMs: 5_000,
      everyMs: 20,
    });
  });

  test("an engine's restart ends the agent: the phase begins again, and no budget is spent", async () => {
    const { engine, worker, submit } = await open(({ attempt, phase }) =>
      phase === "plan" && attempt === 1 ? 60_000 : 20,
    );
    const here = engine("one");
    await worker(here);
    const runId = await submit();
    await started("plan");
    here.restart();
    expect((await ended(runId)).status).toBe("succeeded");
    expect(startsOf("plan")).toHaveLength(2);
    const interrupted = (await world.orchestrator.events(runId)).filter(
      ({ type }) => type === "phase.interrupted",
    );
    expect(interrupted).toMatchObject([{ data: { failure: { code: "CONTAINER_LOST" } } }]);
  });

  test("a cancel ends the agent, and its container is gone", async () => {
    const { engine, worker, submit, orchestrator } = await open(({ phase }) =>
      phase === "plan" ? 60_000 : 20,
    );
    const here = engine("one");
    await worker(here);
    const runId = await submit();
    await started("plan");
    await orchestrator.cancel(runId);
    expect((await ended(runId)).status).toBe("cancelled");
    expect(here.running()).toEqual([]);
    await eventually(
      "nothing is left",
      async () => (await here.runtime().engine?.list(runId))?.length,
      (left) => left === 0,
      { withinMs: 5_000, everyMs: 20 },
    );
  });
});
