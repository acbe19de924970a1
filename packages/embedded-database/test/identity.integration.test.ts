import { chmodSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEmbeddedDatabaseAs } from "../src/open-embedded-database.ts";
import type { IdentityKind } from "../src/server-identity.ts";
import { ask } from "./ask.ts";
import { poll } from "./poll.ts";
import { isEmpty, postmastersOf, processesOf, stateFolders } from "./state-folder.ts";

const newStateFolder = stateFolders();
const idleStopMs = 300;
const open = (stateDir: string, kind: IdentityKind) =>
  openEmbeddedDatabaseAs({ stateDir, idleStopMs }, [kind]);

/** The uid of a process, as this process sees it. */
function uidOf(pid: number | undefined): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

// PostgreSQL refuses root, so root has ways of its own; others have one, which every other test
// takes.
const asUser = () => {
  test("the server runs as the user who opens it", async () => {
    const layout = newStateFolder();
    await using database = await open(layout.stateDir, "self");
    expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
    expect(uidOf(postmastersOf(layout)[0])).toBe(process.geteuid?.());
  });
};

const asRoot = () => {
  test("namespace: the server is root to the kernel and nobody special to itself", async () => {
    const layout = newStateFolder();
    chmodSync(layout.stateDir, 0o700);
    await using database = await open(layout.stateDir, "namespace");
    expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
    expect(uidOf(postmastersOf(layout)[0])).toBe(0);
    expect(lstatSync(layout.data).uid).toBe(0);
  });

  test("dropped: the server runs as an unprivileged account that owns its folder", async () => {
    const layout = newStateFolder();
    chmodSync(layout.stateDir, 0o755);
    await using database = await open(layout.stateDir, "dropped");
    expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
    const uid = uidOf(postmastersOf(layout)[0]);
    expect(uid).toBeGreaterThan(0);
    expect(lstatSync(layout.data).uid).toBe(uid);
  });

  test("dropped: a folder the account cannot enter is named, with what to do", async () => {
    const { stateDir } = newStateFolder();
    await expect(open(stateDir, "dropped")).rejects.toMatchObject({
      code: "EMBEDDED_DATABASE_FAILED",
      message: expect.stringContaining(stateDir),
      remedy: expect.stringContaining("SPECKIT_HOME"),
    });
  });

  test("reaching: the account enters a closed folder by one capability", async () => {
    const layout = newStateFolder();
    await using database = await open(layout.stateDir, "reaching");
    expect(await ask(database, "select 1 as one")).toEqual({ one: 1 });
    const [pid] = postmastersOf(layout);
    expect(uidOf(pid)).toBeGreaterThan(0);
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    expect(/^CapEff:\s+(\S+)/m.exec(status)?.[1]).toBe("0000000000000002");
  });

  test("data made one way is opened the other way", async () => {
    const layout = newStateFolder();
    chmodSync(layout.stateDir, 0o755);
    for (const [round, kind] of (
      ["namespace", "dropped", "namespace", "reaching"] as const
    ).entries()) {
      {
        await using database = await open(layout.stateDir, kind);
        await ask(database, "create table if not exists kept (round int)");
        await ask(database, `insert into kept values (${round})`);
        expect(await ask(database, "select count(*)::int as n from kept")).toEqual({
          n: round + 1,
        });
      }
      await poll("stopped", () => processesOf(layout.stateDir), isEmpty);
    }
    expect(lstatSync(join(layout.data, "PG_VERSION")).uid).toBeGreaterThan(0);
  });
};

const isRoot = process.geteuid?.() === 0;
describe(isRoot ? "as root" : "as a user", isRoot ? asRoot : asUser);
