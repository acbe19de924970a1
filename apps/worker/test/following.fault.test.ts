import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrateDatabase } from "@speckit/orchestrator/node";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { startPrivateBroker } from "@speckit/private-broker";
import {
  eventually,
  rowsOf,
  startPrivatePostgres,
  startProgram,
  tempFolder,
} from "@speckit/testkit";
import { expect, test } from "vitest";
import { openDoor } from "./door.ts";
import { startWorkerProcess } from "./worker-process.ts";

const program = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const SPECKIT = program("../../cli/bin/speckit.mjs");
const SCRIPTED = program("../../../packages/orchestrator/agents/scripted.mjs");
const PREFIX = "following";

/** Says something every now and then, for a while, before it works. */
const talkative = (lines: number) =>
  JSON.stringify([
    "bash",
    "-c",
    [
      `for i in $(seq ${lines}); do`,
      `  printf '{"type":"message","text":"%s-%s line %d"}\\n' "$SPECKIT_PHASE" "$SPECKIT_ATTEMPT" "$i"`,
      "  sleep 0.05",
      "done",
      `exec ${process.execPath} ${SCRIPTED}`,
    ].join("\n"),
  ]);

interface Line {
  readonly seq: number;
  readonly type: string;
  readonly phase: string | null;
}

const linesOf = (stdout: string): readonly Line[] =>
  stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

test("logs -f and events -f through a killed worker, a restarted broker and a crashed database: each event once, as stored", async () => {
  await using folder = await tempFolder("following");
  await using postgres = await startPrivatePostgres();
  await using broker = await startPrivateBroker();
  await migrateDatabase(postgres.url);
  const remote = await makeSampleRemote(folder.path);
  const worker = (name: string) =>
    startWorkerProcess({
      databaseUrl: postgres.url,
      amqpUrl: broker.url,
      prefix: PREFIX,
      stateDir: join(folder.path, name),
      env: { SPECKIT_AGENT: "command", SPECKIT_AGENT_COMMAND: talkative(80) },
    });
  // From another machine: it has the services, and nothing else of the workers.
  const speckit = (...args: string[]) =>
    startProgram(SPECKIT, args, {
      timeoutMs: 300_000,
      env: {
        DATABASE_URL: postgres.url,
        AMQP_URL: broker.url,
        SPECKIT_HOME: join(folder.path, "terminal"),
      },
    });
  const runId = randomUUID();
  const said = async (phase: string) => {
    const rows = await rowsOf<{ said: number }>(
      postgres.url,
      `SELECT count(*)::int AS said FROM spec_workflow_events
        WHERE run_id = $1 AND phase = $2 AND type = 'phase.message'`,
      [runId, phase],
    );
    return rows[0]?.said ?? 0;
  };
  const untilSaid = (phase: string) =>
    eventually(
      `the agent of ${phase} has said something`,
      () => said(phase),
      (count) => count > 3,
      { withinMs: 120_000, everyMs: 50 },
    );

  await using first = await worker("first");
  {
    await using door = await openDoor(broker.url, PREFIX);
    const request = {
      schemaVersion: 1,
      runId,
      repository: `file://${remote}`,
      specifyText: "Add a page",
      agent: { backend: "command" },
    };
    await door.publish(Buffer.from(JSON.stringify(request)));
    await door.confirmed();
  }
  await untilSaid("specify");
  const logs = speckit("logs", "-f", "--json", runId);
  const events = speckit("events", "-f", "--json", runId);
  await using second = await worker("second");
  await untilSaid("plan");
  first.kill("SIGKILL");
  second.kill("SIGKILL");
  await using third = await worker("third");
  await untilSaid("tasks");
  await broker.restart();
  await postgres.restart();

  const [followed, told] = await Promise.all([logs.result, events.result]);
  expect([followed.exitCode, told.exitCode]).toEqual([0, 0]);
  expect(followed.stderr).toContain("waiting for the database");
  const lines = linesOf(followed.stdout);
  const stored = await rowsOf<Line>(
    postgres.url,
    "SELECT seq::int, type, phase FROM spec_workflow_events WHERE run_id = $1 ORDER BY seq",
    [runId],
  );
  expect(lines).toMatchObject(stored);
  expect(lines).toHaveLength(stored.length);
  // It went through what it was meant to go through.
  expect(stored.map(({ type }) => type)).toContain("phase.interrupted");
  expect(stored.filter(({ type }) => type === "phase.message").length).toBeGreaterThan(200);
  const [run] = await rowsOf(
    postgres.url,
    "SELECT outcome, sent_seq = last_seq AS sent FROM spec_workflow_runs WHERE id = $1",
    [runId],
  );
  expect(run).toEqual({ outcome: "succeeded", sent: true });

  // A finished run is replayed, the broker being away or not; and from where one was.
  await broker.stop();
  const replayed = await speckit("logs", "--json", runId).result;
  expect(replayed.stdout).toBe(followed.stdout);
  const half = stored[Math.floor(stored.length / 2)]?.seq ?? 0;
  const rest = await speckit("logs", "-f", "--json", "--after", String(half), runId).result;
  expect(linesOf(rest.stdout)).toEqual(lines.filter(({ seq }) => seq > half));
  const again = await speckit("events", "--json", runId).result;
  expect(told.stdout).toBe(again.stdout);
  expect(told.stdout.split("\n").length).toBeGreaterThan(15);
  third.kill("SIGTERM");
  await third.result;
}, 400_000);
