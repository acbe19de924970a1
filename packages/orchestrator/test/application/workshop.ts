import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  checkRuns,
  eventually,
  type TempFolder,
  type TestDatabase,
  tempFolder,
  testDatabase,
} from "@speckit/testkit";
import pg from "pg";
import { afterAll, expect } from "vitest";
import { commandBackend, scriptedBackend } from "../../src/adapters/agents/index.ts";
import { fileArtifactStore } from "../../src/adapters/artifacts/index.ts";
import { gitWorkspace, staticCredentials } from "../../src/adapters/git/index.ts";
import { openInProcessTransport } from "../../src/adapters/in-process/index.ts";
import { postgresRunRepository } from "../../src/adapters/postgres/index.ts";
import { processRuntime } from "../../src/adapters/process/index.ts";
import { systemClock, systemIdentity } from "../../src/adapters/system/index.ts";
import type { Dependencies } from "../../src/application/dependencies.ts";
import { Orchestrator } from "../../src/application/orchestrator.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/application/settings.ts";
import type { RunResult } from "../../src/contract/run-result.ts";
import { loggerFor } from "../../src/node/open-orchestrator.ts";
import type { AgentBackend } from "../../src/ports/agent-backend.ts";
import type { Metrics } from "../../src/ports/metrics.ts";
import type { ModelGateway } from "../../src/ports/model-gateway.ts";
import type { PullRequestHost } from "../../src/ports/pull-request-host.ts";
import type { EventRecord } from "../../src/ports/run-record.ts";
import type { RunRepository } from "../../src/ports/run-repository.ts";
import type { Transport } from "../../src/ports/transport.ts";
import { makeSampleRemote } from "../../src/testing/sample/index.ts";

/** Leases short enough to lose one in a test, long enough for a busy machine to keep one. */
const QUICK: Partial<Settings> = { leaseMs: 6_000, heartbeatMs: 300, sweepMs: 300 };

/** What stands between the use cases and an adapter, to make it fail where a test wants it to. */
export interface Faults {
  readonly runs?: (runs: RunRepository) => RunRepository;
  readonly transport?: (transport: Transport) => Transport;
  readonly settings?: Partial<Settings>;
  readonly metrics?: Metrics;
  readonly pullRequests?: PullRequestHost;
  readonly specifyInit?: readonly [string, ...string[]];
  /** argv of an agent `command`. */
  readonly agentCommand?: readonly [string, ...string[]];
  /** One more agent, and the ways to its model by credential. */
  readonly backend?: AgentBackend;
  readonly gateways?: ReadonlyMap<string, ModelGateway>;
  readonly publish?: Dependencies["publish"];
  readonly secrets?: Dependencies["secrets"];
}

export interface OpenWorkshop extends AsyncDisposable {
  readonly orchestrator: Orchestrator;
  readonly deps: Dependencies;
  readonly stateDir: string;
}

/**
 * One database for a test file, and orchestrators on state folders of their own: real PostgreSQL,
 * git, files and processes, with the in-process transport. At the end every closed run is checked.
 */
export async function workshop(checks: Parameters<typeof checkRuns>[1] = {}) {
  const database: TestDatabase = await testDatabase();
  const folder: TempFolder = await tempFolder("application");
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  afterAll(async () => {
    expect(await checkRuns(database.url, checks)).toEqual([]);
    await client.end();
    await folder[Symbol.asyncDispose]();
  });
  let remotes = 0;

  const startsFile = (name: string) => join(folder.path, `${name}.starts`);

  return {
    folder: folder.path,
    databaseUrl: database.url,
    sql: (text: string, values: readonly unknown[] = []) => client.query(text, [...values]),

    /** A sample repository whose agent follows a script; each of its starts is written down. */
    async remote(
      script: Record<string, object> = {},
      {
        files = {},
        directory = "",
        more = {},
      }: {
        /** The repository; default: the sample. */
        readonly files?: Readonly<Record<string, string>>;
        /** Where the agent works in it. */
        readonly directory?: string;
        readonly more?: Readonly<Record<string, string>>;
      } = {},
    ) {
      remotes += 1;
      const name = `remote-${remotes}`;
      const appendTo = startsFile(name);
      const phases = ["specify", "plan", "tasks"] as const;
      const withStarts = Object.fromEntries(
        phases.map((phase) => [phase, [{ ...script[phase], appendTo }, { appendTo }]]),
      );
      const path = await makeSampleRemote(
        join(folder.path, name),
        { [join(directory, ".scripted-agent.json")]: JSON.stringify(withStarts), ...more },
        ...(Object.keys(files).length === 0 ? [] : [files]),
      );
      const starts = async (): Promise<readonly string[]> =>
        (await readFile(appendTo, "utf8").catch(() => ""))
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => line.split(" ").slice(0, 2).join(" "));
      return { path, starts };
    },

    open(name: string, faults: Faults = {}): OpenWorkshop {
      const stateDir = join(folder.path, name);
      const logger = loggerFor({ stateDir, logLevel: process.env.DEBUG ? "debug" : "error" });
      const runs = postgresRunRepository({
        connectionString: database.url,
        logger,
        artifactRetentionMs: 7 * 86_400_000,
      });
      const transport = openInProcessTransport({ logger });
      const backends = [
        scriptedBackend(),
        ...(faults.agentCommand === undefined
          ? []
          : [commandBackend({ name: "command", description: "", argv: faults.agentCommand })]),
        ...(faults.backend === undefined ? [] : [faults.backend]),
      ];
      const deps: Dependencies = {
        runs: faults.runs?.(runs) ?? runs,
        transport: faults.transport?.(transport) ?? transport,
        git: gitWorkspace({
          stateDir,
          identity: { name: "speckit", email: "speckit@localhost" },
          credentials: staticCredentials([]),
          allowFile: true,
          logger,
        }),
        runtime: processRuntime(),
        artifacts: fileArtifactStore({ folder: join(stateDir, "artifacts") }),
        backends: new Map(backends.map((backend) => [backend.name, backend])),
        defaultBackend: "scripted",
        credentials: runs.credentials,
        statistics: runs.statistics,
        surroundings: runs.surroundings,
        ...(faults.gateways === undefined ? {} : { gateways: faults.gateways }),
        isAllowed: () => true,
        clock: systemClock,
        identity: systemIdentity,
        logger,
        metrics: faults.metrics,
        pullRequests: faults.pullRequests,
        specifyInit: faults.specifyInit,
        publish: faults.publish,
        secrets: faults.secrets,
        settings: { ...DEFAULT_SETTINGS, ...QUICK, ...faults.settings },
      };
      return {
        orchestrator: new Orchestrator(deps),
        deps,
        stateDir,
        async [Symbol.asyncDispose]() {
          await transport[Symbol.asyncDispose]();
          await runs[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** A request with an id of its own, so that a test can prepare for it. */
export function requestFor(repository: string, more: Record<string, unknown> = {}) {
  return {
    schemaVersion: 1,
    runId: randomUUID(),
    repository,
    specifyText: "Add OAuth login",
    ...more,
  };
}

export const eventsOf = (orchestrator: Orchestrator, runId: string) =>
  orchestrator.events(runId, { limit: 1_000 });

/** Short names of a run's events: `phase.started plan 1`. */
export const named = (events: readonly EventRecord[]) =>
  events.map(({ type, phase, attempt }) => [type, phase, attempt].filter(Boolean).join(" "));

export async function untilEvent(orchestrator: Orchestrator, runId: string, name: string) {
  return eventually(
    `event ${name}`,
    async () => named(await eventsOf(orchestrator, runId)),
    (names) => names.includes(name),
    { withinMs: 30_000 },
  );
}

/** Waits until the run is closed: nothing is written to it any more. */
export async function untilClosed(orchestrator: Orchestrator, runId: string): Promise<RunResult> {
  await eventually(
    "the run is closed",
    async () => {
      const run = await orchestrator.find(runId);
      return { closed: run?.cleanedAt !== null, run, events: await eventsOf(orchestrator, runId) };
    },
    ({ closed }) => closed,
    { withinMs: 90_000 },
  );
  return orchestrator.result(runId);
}

/** Each artifact the database knows of is the file in this state folder, byte for byte. */
export async function expectArtifacts(stateDir: string, result: RunResult): Promise<void> {
  for (const { name, bytes, sha256 } of result.artifacts) {
    const content = await readFile(join(stateDir, "artifacts", result.runId, name));
    expect(content.length, name).toBe(bytes);
    expect(createHash("sha256").update(content).digest("hex"), name).toBe(sha256);
  }
}

export const namesOf = (result: RunResult) => result.artifacts.map((artifact) => artifact.name);

export const phaseOf = (result: RunResult, name: string) =>
  result.phases.find((phase) => phase.name === name);
