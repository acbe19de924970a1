import { testDatabase } from "@speckit/testkit";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { commandBackend } from "../../src/adapters/agents/index.ts";
import { openInProcessTransport } from "../../src/adapters/in-process/index.ts";
import { postgresRunRepository } from "../../src/adapters/postgres/index.ts";
import { systemIdentity } from "../../src/adapters/system/index.ts";
import { winstonLogger } from "../../src/adapters/winston/index.ts";
import { eventRelay } from "../../src/application/event-relay.ts";
import { DEFAULT_SETTINGS } from "../../src/application/settings.ts";
import { submitRun } from "../../src/application/submit-run.ts";
import { sweep } from "../../src/application/sweep.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import type { Transport } from "../../src/ports/transport.ts";

const database = await testDatabase();
const logger = winstonLogger({ level: "error", format: "json", secrets: [] });
const runs = postgresRunRepository({ connectionString: database.url, artifactRetentionMs: 1 });
const transport = openInProcessTransport({ logger });
const client = new pg.Client({ connectionString: database.url });
await client.connect();

afterAll(async () => {
  await client.end();
  await transport[Symbol.asyncDispose]();
  await runs[Symbol.asyncDispose]();
});

const agent = commandBackend({ name: "agent", description: "an agent", argv: ["true"] });
const deps = {
  runs,
  transport,
  logger,
  identity: systemIdentity,
  settings: DEFAULT_SETTINGS,
  backends: new Map([[agent.name, agent]]),
  defaultBackend: agent.name,
  isAllowed: () => true,
  relay: eventRelay({ runs, transport, logger, deploymentId: "test" }),
};

async function makeAllDue(): Promise<void> {
  // A row that the relay is just writing to is skipped by a sweep.
  await deps.relay.settle();
  await client.query("UPDATE spec_workflow_runs SET wake_at = clock_timestamp()");
}

/** Takes wake-ups from the start queue and forgets them, as a crash would. */
async function lose(count: number): Promise<void> {
  const taken = Promise.withResolvers<void>();
  let left = count;
  const consumption = await transport.consume(
    {
      async onWakeUp() {
        left -= 1;
        if (left === 0) {
          taken.resolve();
        }
        return left < 0 ? { do: "leave" } : { do: "ack" };
      },
      onRequest: async () => ({ do: "ack" }),
    },
    { slots: 1 },
  );
  await taken.promise;
  await consumption.stop();
}

test("the sweeper is silent while the start queue explains the backlog, and wakes it when not", async () => {
  for (const name of ["a", "b", "c"]) {
    const request = {
      schemaVersion: 1 as const,
      repository: `acme/${name}`,
      specifyText: "Add a page",
    };
    await submitRun(deps, { request, received: request });
  }
  await makeAllDue();
  expect(await sweep(deps)).toMatchObject({ woken: 0 });
  expect(await transport.startBacklog()).toBe(3);

  await lose(1);
  await makeAllDue();
  expect(await sweep(deps)).toMatchObject({ woken: 3 });
});

test("with a broker that does not answer, a sweep takes as long as one publish, not as all of them", async () => {
  await makeAllDue();
  await client.query("UPDATE spec_workflow_runs SET epoch = 1");
  const { rows } = await client.query("SELECT count(*)::int AS runs FROM spec_workflow_runs");
  const runsThere: number = rows[0].runs;
  expect(runsThere).toBeGreaterThan(1);
  const all = Promise.withResolvers<void>();
  let asked = 0;
  const slow: Transport = {
    ...transport,
    async publishWakeUp() {
      asked += 1;
      if (asked === runsThere) {
        all.resolve();
      }
      await all.promise;
      throw new SpeckitError("BROKER_UNAVAILABLE", "no answer");
    },
  };
  expect(await sweep({ ...deps, transport: slow })).toMatchObject({ woken: 0 });
});
