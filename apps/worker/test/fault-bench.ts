import { randomUUID } from "node:crypto";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Phase } from "@speckit/orchestrator";
import { openOrchestrator } from "@speckit/orchestrator/node";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  type AgentStart,
  checkEverything,
  checkQueues,
  declareTopology,
  eventually,
  readStarts,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect } from "vitest";
import { type FailpointPlan, failpointPlan } from "./failpoint-plan.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { attemptRows, dumpOfRun, endWait, makeDue, runRows } from "./run-rows.ts";
import type { WorkerSettings } from "./worker-process.ts";

/**
 * What every file of fault tests stands on: a database, a part of the broker, a failpoint plan, and
 * at the end the oracle, over everything the file has done. Call it at the top of the file.
 *
 * @param own a migrated database instead of one on the shared server
 */
export async function faultBench(name: string, own: { readonly databaseUrl?: string } = {}) {
  const database = own.databaseUrl === undefined ? await testDatabase() : undefined;
  const broker = testBroker();
  const databaseUrl = () => own.databaseUrl ?? database?.url ?? "";
  let folder: TempFolder;
  let client: PlainClient;
  let plan: FailpointPlan;
  let remoteCount = 0;
  const remotes: (string | { readonly path: string; readonly gitRemote: string })[] = [];

  const bench = {
    get databaseUrl() {
      return databaseUrl();
    },
    get folder() {
      return folder.path;
    },
    get plan() {
      return plan;
    },
    get client() {
      return client;
    },
    broker,

    /** A worker's settings; each has a state folder of its own, as on a host of its own. */
    worker: (
      worker: string,
      env: Readonly<Record<string, string>> = {},
      urls: { readonly databaseUrl?: string } = {},
    ): WorkerSettings => ({
      databaseUrl: urls.databaseUrl ?? databaseUrl(),
      amqpUrl: broker.url,
      prefix: broker.prefix,
      stateDir: join(folder.path, "state", worker),
      failpoints: join(folder.path, "plan"),
      timeoutMs: 1_800_000,
      env,
    }),

    /**
     * A sample whose agents write their starts down, and otherwise follow a script.
     *
     * @param served where its bare repository is to be, for a server that has it under another name
     */
    async remote(
      script: Readonly<Record<string, object>> = {},
      served?: { readonly path: string; readonly gitRemote: string },
    ): Promise<string> {
      const appendTo = bench.startsPath;
      const phases = ["specify", "plan", "tasks"] as const;
      const withStarts = Object.fromEntries(
        phases.map((phase) => [phase, [{ ...script[phase], appendTo }, { appendTo }]]),
      );
      remoteCount += 1;
      const made = await makeSampleRemote(join(folder.path, `remote-${remoteCount}`), {
        ".scripted-agent.json": JSON.stringify(withStarts),
      });
      if (served !== undefined) {
        await mkdir(dirname(served.path), { recursive: true });
        await rename(made, served.path);
      }
      remotes.push(served ?? made);
      return served?.path ?? made;
    },

    request: (remote: string, runId: string = randomUUID()) => ({
      schemaVersion: 1,
      runId,
      repository: `file://${remote}`,
      specifyText: "Add a page",
      agent: { backend: "scripted" },
    }),

    get startsPath() {
      return join(folder.path, "starts");
    },

    async starts(runId: string): Promise<readonly AgentStart[]> {
      return (await readStarts(bench.startsPath)).filter((start) => start.runId === runId);
    },

    untilStarted: (runId: string, phase: Phase, attempt = 1) =>
      eventually(
        `the agent of ${phase} ${attempt} has started`,
        () => bench.starts(runId),
        (starts) => starts.some((start) => start.phase === phase && start.attempt === attempt),
        { withinMs: 360_000 },
      ),

    run: async (runId: string) => (await runRows(databaseUrl(), [runId]))[0],
    attempts: (runId: string) => attemptRows(databaseUrl(), runId),
    dump: (runId: string) => dumpOfRun(databaseUrl(), runId),
    makeDue: (runId: string) => makeDue(databaseUrl(), runId),
    endWait: (runId: string) => endWait(databaseUrl(), runId),

    /**
     * Stores a run whose wake-up is lost: nobody looks at it before the sweeper. Its time has come
     * at once; by itself it would in 15 s.
     */
    async storeUnheard(remote: string, runId: string = randomUUID()): Promise<string> {
      const stateDir = join(folder.path, "state", "submitter");
      await using opened = await openOrchestrator({
        databaseUrl: databaseUrl(),
        stateDir,
        allowPaths: true,
        logLevel: "error",
      });
      await opened.orchestrator.submit(bench.request(remote, runId));
      await bench.makeDue(runId);
      return runId;
    },

    /** Asks for a cancel through the public door. */
    cancel: (runId: string) =>
      client.publishCommand({
        schemaVersion: 1,
        commandId: randomUUID(),
        runId,
        command: "cancel",
      }),

    /** Publishes a wake-up, as anybody may at any time. */
    wake: (runId: string) => client.wake(runId),

    /** Waits until these runs are closed: nothing is written to them any more. */
    untilClosed: (runIds: readonly string[], withinMs = 360_000) =>
      eventually(
        `${runIds.length} runs are closed`,
        () => runRows(databaseUrl(), runIds),
        (rows) => rows.length === runIds.length && rows.every((row) => row.cleaned),
        { withinMs, everyMs: 100 },
      ),

    /** Waits until the workers have taken every message there is; what is delayed comes after 5 s. */
    untilQuiet: () =>
      eventually(
        "every queue is empty",
        () => checkQueues(broker.url, broker.prefix, []),
        (problems) => problems.length === 0,
        { withinMs: 120_000, everyMs: 100 },
      ),
  };

  beforeAll(async () => {
    folder = await tempFolder(name);
    await mkdir(join(folder.path, "plan"));
    plan = failpointPlan(join(folder.path, "plan"));
    await declareTopology(broker);
    client = await plainClient(broker.url, broker.prefix);
  });

  afterAll(async () => {
    try {
      const evidence = {
        databaseUrl: databaseUrl(),
        amqpUrl: broker.url,
        prefix: broker.prefix,
        remotes: [...remotes],
        startsPath: bench.startsPath,
      };
      expect(await checkEverything(evidence)).toEqual([]);
    } finally {
      await client[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    }
  });
  return bench;
}
