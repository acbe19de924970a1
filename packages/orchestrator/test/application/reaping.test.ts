import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { reapJobs } from "../../src/application/reap-jobs.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import type { JobEngine, JobName, JobPlace, JobRuntime } from "../../src/ports/job-runtime.ts";
import type { RunRepository } from "../../src/ports/run-repository.ts";
import {
  memoryDatabase,
  memoryEngine,
  memoryRunRepository,
  realTimers,
} from "../../src/testing/memory/index.ts";
import { owned } from "../../src/testing/run-repository/subject.ts";
import { recordingLogger } from "../adapters/rabbitmq/recording-logger.ts";

/** Older than what a look lets be because it may be news. */
const OLD_MS = 121_000;
const NEVER = new AbortController().signal;

describe("the reaper", () => {
  let passedMs: number;
  let runs: RunRepository;
  let runtime: JobRuntime;
  let engine: JobEngine;
  beforeEach(() => {
    passedMs = 0;
    const clock = { nowMs: () => Date.now() };
    runs = memoryRunRepository(memoryDatabase({ clock, deploymentId: randomUUID() }));
    runtime = memoryEngine({
      id: "one",
      timers: { ...realTimers, nowMs: () => realTimers.nowMs() + passedMs },
      find: () => ({ steps: [], ends: 0 }),
    }).runtime();
    engine = runtime.engine as JobEngine;
  });

  /** A container that is never started. */
  async function create(name: JobName): Promise<JobPlace> {
    const folders = { workspace: "/memory", home: "/memory/home" };
    const spec = { ...name, ...folders, env: {}, files: [], stdin: "" };
    const prepared = await runtime.prepare({ ...spec, argv: ["agent"] }, NEVER);
    return prepared.place as JobPlace;
  }

  /** A container of a new run's first phase, created and committed; then it grows old. */
  async function placed(): Promise<JobName> {
    const { hold, runId } = await owned(runs);
    const attempt = await runs.startAttempt(hold, "prepare");
    const name = { runId, phase: "prepare", attempt } as const;
    const place = await create(name);
    await runs.placeAttempt(hold, { ...name, place, events: [], artifacts: [] });
    passedMs += OLD_MS;
    return name;
  }

  const look = (over: Partial<JobEngine> = {}, rows: Partial<RunRepository> = {}) =>
    reapJobs({
      runs: { ...runs, ...rows },
      runtime: { ...runtime, engine: { ...engine, ...over } },
      logger: recordingLogger().logger,
    });
  const left = async () =>
    (await engine.list()).map(({ runId, phase, attempt }) => ({ runId, phase, attempt }));

  test("removes what is old and has no open attempt, and nothing else", async () => {
    const open = await placed();
    await create({ runId: randomUUID(), phase: "plan", attempt: 1 });
    passedMs += OLD_MS;
    const young = { runId: randomUUID(), phase: "plan", attempt: 1 };
    await create(young);
    expect(await look()).toBe(1);
    expect(await left()).toEqual([open, young]);
  });

  test("H17: what is made and committed while it looks stays, however long the look takes", async () => {
    await create({ runId: randomUUID(), phase: "plan", attempt: 1 });
    passedMs += OLD_MS;
    // Between the engine's answer and the rows'; whichever of the two is asked first.
    const made: JobName[] = [];
    const meanwhile = async <T>(answer: T): Promise<T> => {
      made.push(await placed());
      return answer;
    };
    const removed = await look(
      { list: async () => meanwhile(await engine.list()) },
      { openAttempts: async (names) => meanwhile(await runs.openAttempts(names)) },
    );
    expect([removed, made.length]).toEqual([1, 2]);
    expect(await left()).toEqual(made);
  });

  test("a database that does not answer removes nothing", async () => {
    await create({ runId: randomUUID(), phase: "plan", attempt: 1 });
    passedMs += OLD_MS;
    const away = () => Promise.reject(new SpeckitError("DATABASE_UNAVAILABLE", "cut off"));
    await expect(look({}, { openAttempts: away })).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
    });
    expect(await left()).toHaveLength(1);
  });
});
