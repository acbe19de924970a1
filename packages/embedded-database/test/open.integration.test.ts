import { existsSync, lstatSync, mkdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { databaseLayout } from "../src/database-layout.ts";
import { openEmbeddedDatabase } from "../src/index.ts";
import { serverBinaries } from "../src/server-binaries.ts";
import { ask } from "./ask.ts";
import { poll } from "./poll.ts";
import { endCommand, spawnCommand } from "./spawn-command.ts";
import { guardiansOf, isEmpty, postmastersOf, processesOf, stateFolders } from "./state-folder.ts";

const newStateFolder = stateFolders();
const idleStopMs = 500;

test("the first open creates a durable UTF-8 database in a private folder, without TCP", async () => {
  const { stateDir, folder } = newStateFolder();
  const notices: string[] = [];
  const onNotice = (text: string) => void notices.push(text);
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs, onNotice });
  expect(database.startedByThisCall).toBe(true);
  expect((await ask(database, "select version()")).version).toContain(database.version);
  const settings = await ask(
    database,
    `select current_setting('fsync') fsync, current_setting('listen_addresses') listen,
            current_setting('server_encoding') encoding,
            (select datcollate from pg_database where datname = 'postgres') as datcollate`,
  );
  expect(settings).toMatchObject({ fsync: "on", listen: "", encoding: "UTF8", datcollate: "C" });
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(notices).toEqual([`Creating the embedded database in ${folder}`]);
});

test("a later open shares the running server", async () => {
  const { stateDir } = newStateFolder();
  await using first = await openEmbeddedDatabase({ stateDir, idleStopMs });
  await using second = await openEmbeddedDatabase({ stateDir, idleStopMs });
  expect(second.startedByThisCall).toBe(false);
  expect(second.connectionString).toBe(first.connectionString);
});

test("six processes that open at once get one server, and none of them ends it", async () => {
  const layout = newStateFolder();
  const { stateDir } = layout;
  const opening = Array.from({ length: 6 }, () => spawnCommand(stateDir, idleStopMs));
  const commands = await Promise.all(opening);
  expect(new Set(commands.map(({ at }) => at)).size).toBe(1);
  expect(commands.filter(({ startedByThisCall }) => startedByThisCall)).toHaveLength(1);
  expect(postmastersOf(layout)).toHaveLength(1);
  await poll(
    "one guardian",
    () => guardiansOf(layout),
    ({ length }) => length === 1,
  );
  const [last, ...others] = commands.toSorted(
    (a, b) => Number(a.startedByThisCall) - Number(b.startedByThisCall),
  );
  expect(await Promise.all(others.map(endCommand))).toEqual([0, 0, 0, 0, 0]);
  expect(postmastersOf(layout)).toHaveLength(1);
  expect(await endCommand(last!)).toBe(0);
});

test("it stops when nobody has been connected for a while, and the data is there again after", async () => {
  const { stateDir } = newStateFolder();
  {
    await using database = await openEmbeddedDatabase({ stateDir, idleStopMs });
    await ask(database, "create table kept as select 42 as answer");
  }
  await poll("stopped", () => processesOf(stateDir), isEmpty);
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs });
  expect(database.startedByThisCall).toBe(true);
  expect(await ask(database, "select answer from kept")).toEqual({ answer: 42 });
});

test("an open result keeps the server up however long nothing is asked of it", async () => {
  const layout = newStateFolder();
  await using _ = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs: 50 });
  const begin = performance.now();
  await poll(
    "a while",
    () => performance.now() - begin,
    (ms) => ms > 1_000,
  );
  expect(postmastersOf(layout)).toHaveLength(1);
});

test("an open that meets the guardian while it stops the server gets a server that stays", async () => {
  const { stateDir } = newStateFolder();
  let starts = 0;
  for (let round = 0; round < 40; round++) {
    await using database = await openEmbeddedDatabase({ stateDir, idleStopMs: 20 });
    if (database.startedByThisCall) starts++;
    expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
    await database[Symbol.asyncDispose]();
    const begin = performance.now();
    // Around the moment of the stop, a little later each round.
    await poll(
      "a moment",
      () => performance.now() - begin,
      (ms) => ms > 60 + round * 2,
    );
  }
  // Else the rounds never met a stop and this test proved nothing.
  expect(starts).toBeGreaterThan(5);
});

test("a state folder with a very long path gets its socket in a short private folder", async () => {
  const { stateDir: base } = newStateFolder();
  const layout = databaseLayout(join(base, "long ".repeat(20), "häuser".repeat(10)));
  let short: string;
  {
    await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
    short = readlinkSync(layout.run);
    expect(join(short, ".s.PGSQL.5432").length).toBeLessThan(100);
    expect(lstatSync(short).mode & 0o777).toBe(0o700);
    expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
  }
  await poll("stopped", () => processesOf(base), isEmpty);
  expect(existsSync(short)).toBe(false);
  await using database = await openEmbeddedDatabase({ stateDir: layout.stateDir, idleStopMs });
  expect(readlinkSync(layout.run)).toBe(short);
  expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
});

test("two state folders have two servers side by side", async () => {
  const [one, other] = [newStateFolder(), newStateFolder()];
  await using first = await openEmbeddedDatabase({ stateDir: one.stateDir, idleStopMs });
  await using second = await openEmbeddedDatabase({ stateDir: other.stateDir, idleStopMs });
  await ask(first, "create table mine (id int)");
  expect(await ask(second, "select to_regclass('mine') as found")).toEqual({ found: null });
});

test("data of another major version is refused and left alone", async () => {
  const { stateDir, data } = newStateFolder();
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "PG_VERSION"), "15\n");
  await expect(openEmbeddedDatabase({ stateDir, idleStopMs })).rejects.toMatchObject({
    code: "EMBEDDED_DATABASE_FAILED",
    message: expect.stringContaining("is of PostgreSQL 15"),
    remedy: expect.stringContaining("SPECKIT_HOME"),
  });
});

test("a server that does not start is told with the last lines of its log", async () => {
  const { stateDir, data } = newStateFolder();
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "PG_VERSION"), "18\n");
  await expect(openEmbeddedDatabase({ stateDir, idleStopMs })).rejects.toMatchObject({
    code: "EMBEDDED_DATABASE_FAILED",
    logTail: expect.arrayContaining([expect.stringMatching(/postgresql\.conf|permissions/)]),
  });
});

test("a system without binaries is named, with what to do instead", () => {
  const { binaries } = newStateFolder();
  const open = () => serverBinaries(binaries, { platform: "sunos", arch: "sparc" });
  expect(open).toThrow(
    expect.objectContaining({
      code: "EMBEDDED_DATABASE_UNSUPPORTED",
      message: expect.stringContaining("sunos-sparc"),
      remedy: expect.stringContaining("DATABASE_URL"),
    }),
  );
});
