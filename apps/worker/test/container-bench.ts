import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  type ContainerStart,
  declareTopology,
  eventually,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
  testEngine,
  watchContainerStarts,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect } from "vitest";
import { type FailpointPlan, failpointPlan } from "./failpoint-plan.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { attemptRows, runRows } from "./run-rows.ts";
import type { WorkerSettings } from "./worker-process.ts";

/**
 * What tests of workers with containers stand on: a database, a part of the broker, a failpoint plan,
 * and the engine, which is asked for what was started there and what is left. Call it at the top of
 * the file. At its end nothing of its deployment may be left but the gateway, which is removed.
 */
export async function containerBench(name: string) {
  const database = await testDatabase();
  const broker = testBroker();
  const engine = testEngine();
  const ready = Promise.withResolvers<readonly ContainerStart[]>();
  const watched = ready.promise;
  let folder: TempFolder;
  let client: PlainClient;
  let plan: FailpointPlan;
  let remotes = 0;
  let deployment = "";
  let watching: Disposable | undefined;

  const list = async (kind: "container" | "volume", role?: string): Promise<readonly string[]> => {
    const filters = [`label=speckit.deployment=${await deploymentId()}`];
    if (role !== undefined) {
      filters.push(`label=speckit.role=${role}`);
    }
    const args = kind === "container" ? ["ps", "-a", "-q", "--no-trunc"] : ["volume", "ls", "-q"];
    const told = await engine.docker([...args, ...filters.flatMap((one) => ["--filter", one])]);
    return told.split("\n").filter(Boolean);
  };

  async function deploymentId(): Promise<string> {
    if (deployment === "") {
      const { openOrchestrator } = await import("@speckit/orchestrator/node");
      await using opened = await openOrchestrator({
        databaseUrl: database.url,
        stateDir: join(folder.path, "state", "asker"),
        logLevel: "error",
      });
      deployment = await opened.orchestrator.deploymentId();
    }
    return deployment;
  }

  const bench = {
    databaseUrl: database.url,
    broker,
    engine,
    list,
    deploymentId,
    get plan() {
      return plan;
    },
    get client() {
      return client;
    },
    get folder() {
      return folder.path;
    },

    /** A worker on the engine; with a state folder of its own, as on a host of its own. */
    worker: (worker: string, env: Readonly<Record<string, string>> = {}): WorkerSettings => ({
      databaseUrl: database.url,
      amqpUrl: broker.url,
      prefix: broker.prefix,
      stateDir: join(folder.path, "state", worker),
      failpoints: join(folder.path, "plan"),
      timeoutMs: 1_800_000,
      env: {
        SPECKIT_RUNTIME: "docker",
        DOCKER_HOST: engine.dockerHost,
        SPECKIT_JOB_IMAGE: engine.image("job"),
        SPECKIT_GATEWAY_IMAGE: engine.image("worker"),
        ...env,
      },
    }),

    /** A sample whose agents follow a script. */
    remote(script: Readonly<Record<string, object>> = {}): Promise<string> {
      remotes += 1;
      return makeSampleRemote(join(folder.path, `remote-${remotes}`), {
        ".scripted-agent.json": JSON.stringify(script),
      });
    },

    async publish(
      remote: string,
      runId: string = randomUUID(),
      more: object = {},
    ): Promise<string> {
      await client.publish({
        schemaVersion: 1,
        runId,
        repository: `file://${remote}`,
        specifyText: "Add a page",
        agent: { backend: "scripted" },
        ...more,
      });
      return runId;
    },

    attempts: (runId: string) => attemptRows(database.url, runId),
    run: async (runId: string) => (await runRows(database.url, [runId]))[0],

    untilClosed: (runIds: readonly string[], withinMs = 480_000) =>
      eventually(
        `${runIds.length} runs are closed`,
        () => runRows(database.url, runIds),
        (rows) => rows.length === runIds.length && rows.every((row) => row.cleaned),
        { withinMs, everyMs: 200 },
      ),

    /** Every start of a job's container since the file began, as the engine has told it. */
    starts: async (runId: string): Promise<readonly ContainerStart[]> =>
      (await watched).filter((start) => start.runId === runId),

    /** Waits until the agent of a phase has begun: its container is started. */
    untilStarted: (runId: string, phase: string, attempt = 1) =>
      eventually(
        `${phase} ${attempt} has started`,
        () => bench.starts(runId),
        (starts) => starts.some((start) => start.phase === phase && start.attempt === attempt),
        { withinMs: 360_000, everyMs: 200 },
      ),

    artifact: (worker: string, runId: string, file: string) =>
      readFile(join(folder.path, "state", worker, "artifacts", runId, file), "utf8"),
  };

  beforeAll(async () => {
    folder = await tempFolder(name);
    await mkdir(join(folder.path, "plan"));
    plan = failpointPlan(join(folder.path, "plan"));
    await declareTopology(broker);
    client = await plainClient(broker.url, broker.prefix);
    const starts: ContainerStart[] = [];
    watching = watchContainerStarts(
      engine.dockerHost,
      await deploymentId(),
      (start) => void starts.push(start),
    );
    ready.resolve(starts);
  });

  afterAll(async () => {
    try {
      await eventually(
        "nothing is left of any job",
        async () => [
          ...(await list("container", "job")),
          ...(await list("container", "watch")),
          ...(await list("volume", "job")),
        ],
        (left) => left.length === 0,
        { withinMs: 30_000, everyMs: 500 },
      );
      expect(await list("container")).toHaveLength((await list("container", "gateway")).length);
    } finally {
      watching?.[Symbol.dispose]();
      for (const id of await list("container")) {
        await engine.docker(["rm", "--force", "--volumes", id]);
      }
      for (const volume of await list("volume")) {
        await engine.docker(["volume", "rm", volume]);
      }
      await client[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    }
  });
  return bench;
}
