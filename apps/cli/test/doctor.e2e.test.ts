import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEmbeddedDatabase } from "@speckit/embedded-database";
import { CHECKS, type Diagnosis } from "@speckit/orchestrator";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  eventually,
  processesWith,
  startProgram,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli } from "./cli.ts";

const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  folder = await tempFolder("doctor");
  const remote = await makeSampleRemote(folder.path);
  env = {
    DATABASE_URL: database.url,
    AMQP_URL: broker.url,
    SPECKIT_AMQP_PREFIX: broker.prefix,
    SPECKIT_REPOSITORIES: `file://${remote}`,
    SPECKIT_AGENT: "scripted",
  };
});
afterAll(() => folder?.[Symbol.asyncDispose]());

/** What doctor says, as a program reads it. */
async function doctor(changes: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const done = await cli(folder.path, { ...env, ...changes }).run(["doctor", "--json", ...args]);
  const found = JSON.parse(done.stdout) as Diagnosis[];
  for (const { check, state, remedy } of found) {
    expect(Object.keys(CHECKS)).toContain(check);
    expect(state === "ok" || state === "skipped" || remedy !== undefined).toBe(true);
  }
  return {
    exitCode: done.exitCode,
    found,
    problems: found.filter(({ state }) => state === "problem"),
    of: (check: string) => found.find((one) => one.check === check),
  };
}

test("a fleet at work is fine: exit code 0, and warnings alone do not change that", async () => {
  const main = fileURLToPath(import.meta.resolve("@speckit/worker/main"));
  const worker = startProgram(main, [], { env: { ...env, SPECKIT_HOME: folder.path } });
  try {
    const { exitCode, problems, of } = await eventually(
      "the worker is seen",
      () => doctor({}),
      (look) => look.of("broker.consumers")?.state === "ok",
      { withinMs: 60_000, everyMs: 200 },
    );
    expect(problems).toEqual([]);
    expect(exitCode).toBe(0);
    expect(of("workers.seen")).toMatchObject({
      state: "ok",
      found: expect.stringMatching(/^1 at work/),
    });
    expect(of("git.push")).toMatchObject({ state: "ok" });
  } finally {
    worker.kill("SIGTERM");
    await worker.result;
  }
  const alone = await doctor({});
  expect(alone.of("broker.consumers")).toMatchObject({
    state: "warning",
    remedy: expect.stringContaining("Start a worker"),
  });
  expect(alone.exitCode).toBe(0);
});

test("each thing that is broken is named with its remedy, and the rest is looked at all the same", async () => {
  const file = join(folder.path, "a-file");
  await writeFile(file, "");
  const { exitCode, found, problems, of } = await doctor({
    DATABASE_URL: "postgres://speckit:secret-word@127.0.0.1:1/speckit",
    AMQP_URL: "amqp://speckit:secret-word@127.0.0.1:1",
    SPECKIT_HOME: join(file, "state"),
    SPECKIT_SSH_KEY_FILE: "/nonexistent/key",
    SPECKIT_REPOSITORIES: `file://${folder.path}/nowhere.git`,
  });
  expect(exitCode).toBe(78);
  const told = problems.map(({ check, remedy = "" }) => [check, remedy]);
  expect(Object.fromEntries(told)).toEqual({
    "state.folder": expect.stringContaining("SPECKIT_HOME"),
    "database.connection": expect.stringContaining("DATABASE_URL"),
    "broker.connection": expect.stringContaining("AMQP_URL"),
    "git.ssh-files": expect.any(String),
    "git.push": expect.any(String),
  });
  expect(of("database.schema")).toMatchObject({
    state: "skipped",
    found: "not looked at: there is no database to ask",
  });
  expect(JSON.stringify(found)).not.toContain("secret-word");
});

test("a configuration that cannot be read is a finding, and what can be read of it is looked at", async () => {
  const { exitCode, found, problems, of } = await doctor({
    AMQP_URL: "http://secret-word@rabbit",
    SPECKIT_SLOTS: "many",
    GITHUB_APP_ID: "17",
  });
  expect(exitCode).toBe(78);
  expect(problems.map(({ check }) => check)).toEqual(Array(3).fill("configuration.settings"));
  expect(problems.map((one) => one.found).join("\n")).toMatch(
    /AMQP_URL: .*\nSPECKIT_SLOTS: .*\nGITHUB_APP_PRIVATE_KEY: /,
  );
  expect(JSON.stringify(found)).not.toContain("secret-word");
  expect(of("broker.connection")?.found).toBe("not looked at: its configuration cannot be used");
  expect(of("database.schema")).toMatchObject({ state: "ok" });
});

test("with nothing configured the embedded database is looked at, and not made", async () => {
  const home = join(folder.path, "home");
  await mkdir(home);
  const speckit = cli(home, { SPECKIT_AGENT: "scripted" });
  const first = await speckit.run(["doctor"]);
  expect(first.exitCode, first.stdout).toBe(0);
  expect(first.stdout).toMatch(/^database\n {2}ok {7}embedded: not there yet/m);
  expect(first.stdout).toMatch(
    /^git\n(?: .*\n)*? {2}- {8}push: not looked at: .*\n {11}→ `speckit doctor --repository/m,
  );
  expect(first.stdout.trimEnd().split("\n").at(-1)).toMatch(
    /^(?:\d+ warnings?, )?\d+ ok, \d+ not looked at$/,
  );
  {
    await using running = await openEmbeddedDatabase({ stateDir: home, idleStopMs: 500 });
    const { stdout } = await speckit.run(["doctor", "--json"]);
    const found = JSON.parse(stdout) as Diagnosis[];
    const major = running.version.split(".")[0];
    expect(found).toContainEqual(fine("database.embedded", `PostgreSQL ${major}, running`));
    expect(found).toContainEqual(expect.objectContaining({ check: "database.schema" }));
    // Nobody but commands carries runs here: no worker is missed.
    expect(found.find(({ check }) => check === "workers.seen")?.state).toBe("skipped");
  }
  await eventually(
    "the database has stopped",
    () => processesWith(home),
    (pids) => pids.length === 0,
    { withinMs: 20_000 },
  );
});

function fine(check: string, found: string): Diagnosis {
  return { check, state: "ok", found } as Diagnosis;
}
