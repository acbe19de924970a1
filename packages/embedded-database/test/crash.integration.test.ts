import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openEmbeddedDatabase } from "../src/index.ts";
import { ask } from "./ask.ts";
import { poll } from "./poll.ts";
import { spawnCommand, startCommand } from "./spawn-command.ts";
import { guardiansOf, isEmpty, postmastersOf, processesOf, stateFolders } from "./state-folder.ts";

const newStateFolder = stateFolders();
const idleStopMs = 500;
const kill = (pids: readonly number[]) => pids.forEach((pid) => void process.kill(pid, "SIGKILL"));

test("a killed postmaster is started again with all data, and its holder is inside again", async () => {
  const layout = newStateFolder();
  await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  await ask(database, "create table kept as select 42 as answer");
  const before = postmastersOf(layout);
  expect(before).toHaveLength(1);
  kill(before);
  await using again = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  expect(await ask(again, "select answer from kept")).toEqual({ answer: 42 });
  expect(postmastersOf(layout)).not.toEqual(before);
  const holders =
    "select count(*)::int as n from pg_locks where locktype = 'advisory' and mode = 'ShareLock'";
  await poll(
    "both inside",
    () => ask(again, holders),
    ({ n }) => n === 2,
  );
});

test("a killed postmaster and a killed guardian: the next open recovers", async () => {
  const layout = newStateFolder();
  {
    await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
    await ask(database, "create table kept as select 42 as answer");
  }
  kill([...guardiansOf(layout), ...postmastersOf(layout)]);
  await poll("both dead", () => processesOf(layout.stateDir), isEmpty);
  await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  expect(database.startedByThisCall).toBe(true);
  expect(await ask(database, "select answer from kept")).toEqual({ answer: 42 });
});

test("a stale pid file whose pid belongs to another process now is seen through", async () => {
  const layout = newStateFolder();
  await (await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs: 60_000 }))[
    Symbol.asyncDispose
  ]();
  kill([...guardiansOf(layout), ...postmastersOf(layout)]);
  await poll("both dead", () => processesOf(layout.stateDir), isEmpty);
  for (const file of [
    join(layout.data, "postmaster.pid"),
    join(layout.run, ".s.PGSQL.5432.lock"),
  ]) {
    const [, ...rest] = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, [process.pid, ...rest].join("\n"));
  }
  await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  expect(database.startedByThisCall).toBe(true);
});

test("a killed guardian leaves the server up; the next open adopts it for a later stop", async () => {
  const layout = newStateFolder();
  await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  const [before, guardian] = [postmastersOf(layout), guardiansOf(layout)];
  kill(guardian);
  await poll("guardian dead", () => guardiansOf(layout), isEmpty);
  expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
  await using again = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  expect(again.startedByThisCall).toBe(false);
  expect(postmastersOf(layout)).toEqual(before);
  expect(guardiansOf(layout)).toHaveLength(1);
  expect(guardiansOf(layout)).not.toEqual(guardian);
});

test("a guardian killed while initdb runs leaves nothing that the next open trusts", async () => {
  const layout = newStateFolder();
  const { stateDir, folder } = layout;
  const command = startCommand(stateDir, idleStopMs);
  const isPartial = (name: string) => name.startsWith("data.partial-");
  await poll("initdb at work", () => {
    const partial = readdirSync(stateDir).includes("postgres")
      ? readdirSync(folder).find(isPartial)
      : undefined;
    return partial !== undefined && readdirSync(join(folder, partial)).includes("global");
  });
  command.kill("SIGKILL");
  kill(processesOf(stateDir).map(({ pid }) => pid));
  await poll("all dead", () => processesOf(stateDir), isEmpty);
  expect(readdirSync(folder).filter(isPartial)).toHaveLength(1);
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs });
  expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
  expect(readdirSync(folder).filter(isPartial)).toEqual([]);
});

test("an initdb that outlives its guardian does not disturb the next one", async () => {
  const layout = newStateFolder();
  const { stateDir } = layout;
  const command = startCommand(stateDir, idleStopMs);
  const initdbs = () => processesOf(stateDir).filter(({ command }) => command.includes("--pgdata"));
  await poll("initdb at work", initdbs, (list) => list.length > 0);
  command.kill("SIGKILL");
  kill(guardiansOf(layout));
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs });
  expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
});

test("a killed command leaves the server to the others", async () => {
  const layout = newStateFolder();
  const { stateDir } = layout;
  const { child, startedByThisCall } = await spawnCommand(stateDir, idleStopMs);
  expect(startedByThisCall).toBe(true);
  child.kill("SIGKILL");
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs });
  expect(database.startedByThisCall).toBe(false);
  expect(postmastersOf(layout)).toHaveLength(1);
});

test("Ctrl-C reaches the command and not the server", async () => {
  const layout = newStateFolder();
  const { child } = await spawnCommand(layout.stateDir, idleStopMs);
  const before = postmastersOf(layout);
  process.kill(-child.pid!, "SIGINT");
  await poll(
    "ended",
    () => child.signalCode,
    (signal) => signal === "SIGINT",
  );
  await using _ = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  expect(postmastersOf(layout)).toEqual(before);
});

test("a command that forgets to close ends all the same", async () => {
  const { stateDir } = newStateFolder();
  const { child } = await spawnCommand(stateDir, idleStopMs);
  child.stdin?.end();
  const exitCode = await poll(
    "ended",
    () => child.exitCode,
    (code) => code !== null,
  );
  expect(exitCode).toBe(0);
});

test("a removed state folder ends its server and is not made again", async () => {
  const { stateDir, folder } = newStateFolder();
  await using _ = await openEmbeddedDatabase({ stateDir, idleStopMs });
  rmSync(folder, { recursive: true, maxRetries: 5 });
  await poll("stopped", () => processesOf(stateDir), isEmpty);
  expect(readdirSync(stateDir)).toEqual([]);
});
