import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openEmbeddedDatabase } from "@speckit/embedded-database";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { type ProgramResult, statement } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, SPECKIT } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;
let runId: string;
let kept: string;

beforeAll(async () => {
  folder = await stateFolder("cli-artifacts");
  const remote = await makeSampleRemote(folder.path);
  const args = ["run", remote, "Add OAuth login", "--agent", "scripted", "--dry-run", "--json"];
  const done = await cli(folder.path).run(args);
  expect(done.exitCode, done.stderr).toBe(0);
  runId = JSON.parse(done.stdout).runId;
  kept = join(folder.path, "artifacts", runId);
});

afterAll(() => folder[Symbol.asyncDispose]());

const artifacts = (...args: readonly string[]): Promise<ProgramResult> =>
  cli(folder.path).run(["artifacts", ...args]);

/** A column of the run's own rows, as only the database can have it. */
async function set(table: "runs" | "artifacts", assignment: string): Promise<void> {
  await using database = await openEmbeddedDatabase({ stateDir: folder.path, idleStopMs: 1_000 });
  const column = table === "runs" ? "id" : "run_id";
  const text = `UPDATE spec_workflow_${table} SET ${assignment} WHERE ${column} = '${runId}'`;
  await statement(database.connectionString, text);
}

test("artifacts are listed, shown and downloaded as they are, and never over what is there", async () => {
  await set("artifacts", "truncated = name = 'run.patch'");
  const list = await artifacts("list", runId);
  expect(list.stdout).toMatch(/^kept at least until 20/);
  expect(list.stdout).toMatch(/^ *\d+ {2}[0-9a-f]{12} {2}run\.patch {2}\(truncated\)$/m);
  expect(list.stdout).toMatch(/^ *\d+ {2}[0-9a-f]{12} {2}plan-1\/stdout\.log$/m);
  const listing = JSON.parse((await artifacts("list", runId, "--json")).stdout);
  expect(listing).toMatchObject({ runId, deletedAt: null, kept: null });

  const patch = await readFile(join(kept, "run.patch"), "utf8");
  expect((await artifacts("show", runId, "run.patch")).stdout).toBe(patch);
  const document = JSON.parse((await artifacts("show", runId, "run.patch", "--json")).stdout);
  expect(document).toMatchObject({ runId, name: "run.patch" });
  expect(Buffer.from(document.base64, "base64").toString()).toBe(patch);
  const none = await artifacts("show", runId, "../result.json");
  expect([none.exitCode, none.stdout]).toEqual([2, ""]);
  expect(none.stderr).toContain("ARTIFACT_NOT_FOUND");

  const to = join(folder.path, "copies");
  const some = await artifacts("download", runId, "run.patch", "--to", to);
  expect(some.exitCode, some.stderr).toBe(0);
  await writeFile(join(to, "run.patch"), "mine");
  const refused = await artifacts("download", runId, "--to", to);
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("FILE_EXISTS")]);
  expect(await readdir(to)).toEqual(["run.patch"]);
  const all = await artifacts("download", runId, "--to", to, "--force", "--json");
  const { files } = JSON.parse(all.stdout);
  expect(files).toHaveLength(listing.artifacts.length);
  expect(await readFile(join(to, "run.patch"), "utf8")).toBe(patch);
  expect(await readFile(join(to, "plan-1", "prompt.md"))).toEqual(
    await readFile(join(kept, "plan-1", "prompt.md")),
  );
});

test("on a terminal, what an agent has printed cannot steer it", async () => {
  const log = join(kept, "plan-1", "stdout.log");
  const before = await readFile(log);
  await writeFile(log, "\u001B[2J\u202Ehidden ü\n");
  const command = `${process.execPath} ${SPECKIT} artifacts show ${runId} plan-1/stdout.log`;
  const shown = spawnSync("script", ["-qec", command, "/dev/null"], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, SPECKIT_HOME: folder.path, SPECKIT_DATABASE_IDLE_STOP_MS: "1000" },
  });
  expect(shown.stdout).toContain("\\u{1b}[2J\\u{202e}hidden ü");
  // And it is not what is on record.
  expect(shown.stdout).toContain("ARTIFACT_DAMAGED");
  expect(shown.status).toBe(1);
  await writeFile(log, before);
});

test("verify tells what is otherwise by its exit code and by name", async () => {
  const clean = await artifacts("verify", runId);
  expect([clean.exitCode, clean.stdout]).toEqual([0, expect.stringContaining("as on record")]);
  await mkdir(join(kept, "plan-9"));
  await symlink("/etc/passwd", join(kept, "plan-9", "note"));
  const damaged = await artifacts("verify", "--all");
  expect(damaged.exitCode).toBe(1);
  expect(damaged.stdout).toContain("unexpected  plan-9/note");
  expect(damaged.stdout).toContain("1 runs are not as on record");
  const both = await artifacts("verify", runId, "--all");
  expect(both.exitCode).toBe(2);
});

test("a run is kept for a reason, released, and said to be gone when it is", async () => {
  const status = async () => (await cli(folder.path).run(["status", runId])).stdout;
  const held = await artifacts("keep", runId, "--reason", "for the \u001B[1mauditor");
  expect(held.stdout).toContain("for the \\u{1b}[1mauditor");
  expect(await status()).toMatch(/^artifacts {2}\d+, kept until they are released, since 20/m);
  const released = await artifacts("release", runId, "--json");
  expect(JSON.parse(released.stdout)).toMatchObject({ kept: null, deletedAt: null });

  await set("runs", "artifacts_deleted_at = now()");
  expect(await status()).toMatch(/^artifacts {2}deleted at 20/m);
  const said = await Promise.all(
    ["list", "verify", "download", "keep"].map((command) => artifacts(command, runId)),
  );
  expect(said.map(({ exitCode }) => exitCode)).toEqual([0, 0, 2, 2]);
  expect(said[0]?.stdout).toMatch(/^deleted at /);
  expect(said[0]?.stdout).toContain("run.patch");
  expect(said[1]?.stdout).toContain("deleted, their time was over");
  expect(said[2]?.stderr).toContain("ARTIFACTS_EXPIRED");
  expect(said[3]?.stderr).toContain("ARTIFACTS_EXPIRED");
});
