import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { databaseLayout } from "../src/database-layout.ts";
import { openEmbeddedDatabase } from "../src/index.ts";
import { refuseFullDisk } from "../src/server-binaries.ts";
import { ask } from "./ask.ts";
import { stateFolders } from "./state-folder.ts";

const newStateFolder = stateFolders();
const idleStopMs = 500;

test.each(['"', "$", "`", "\\", "\n"])(
  "a path that initdb would misread is refused by name: %j",
  async (character) => {
    const stateDir = join(newStateFolder().stateDir, `a${character}b`);
    await expect(openEmbeddedDatabase({ stateDir, idleStopMs })).rejects.toMatchObject({
      code: "EMBEDDED_DATABASE_FAILED",
      message: expect.stringContaining(`cannot take ${JSON.stringify(character)}`),
      remedy: expect.stringContaining("plain path"),
    });
  },
);

test("quotes, spaces and letters of any alphabet in the path are taken", async () => {
  const stateDir = join(newStateFolder().stateDir, "it's a häuser €%20;&|<>(){}*?#~!");
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs });
  expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
});

test("the longest path is taken, and one that is a byte longer is refused", async () => {
  const base = newStateFolder().stateDir;
  const padded = (bytes: number): string => {
    const name = "x".repeat(100);
    const nested = join(base, name, name, name);
    const rest = bytes - Buffer.byteLength(databaseLayout(join(nested, "y")).folder);
    return join(nested, "y".repeat(rest + 1));
  };
  await expect(openEmbeddedDatabase({ stateDir: padded(490), idleStopMs })).rejects.toMatchObject({
    message: expect.stringContaining("longer than 489 bytes"),
    remedy: expect.stringContaining("shorter path"),
  });
  await using database = await openEmbeddedDatabase({ stateDir: padded(489), idleStopMs });
  expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
});

test("a folder that cannot be written to is refused with what to do", async () => {
  const { stateDir, log } = newStateFolder();
  // Stands for a read-only file system, which root could write to otherwise.
  mkdirSync(log, { recursive: true });
  await expect(openEmbeddedDatabase({ stateDir, idleStopMs })).rejects.toMatchObject({
    code: "EMBEDDED_DATABASE_FAILED",
    message: expect.stringContaining("EISDIR"),
    remedy: expect.stringContaining("SPECKIT_HOME"),
  });
});

test("a disk without space for it is told in numbers", () => {
  expect(() => refuseFullDisk("/proc")).toThrow(/needs 110 MB .* has 0 MB free/);
  expect(() => refuseFullDisk("/tmp")).not.toThrow();
});
