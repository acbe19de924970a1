import { join } from "node:path";
import { git, startProgram } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SPECKIT } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;

beforeAll(async () => {
  folder = await stateFolder("cli-demo", ".speckit/demo/state");
});

afterAll(() => folder[Symbol.asyncDispose]());

test("the demo says what is real, carries a whole run, and its branch is at the remote", async () => {
  const done = await startProgram(SPECKIT, ["demo"], {
    cwd: folder.path,
    env: { SPECKIT_DATABASE_IDLE_STOP_MS: "1000" },
  }).result;
  expect(done.exitCode, done.stderr).toBe(0);
  const lines = done.stdout.trimEnd().split("\n");
  expect(lines[0]).toMatch(
    /embedded PostgreSQL .* in-process transport .* agent scripted .*isolation/,
  );
  for (const phase of [
    "prepare",
    "specify",
    "plan",
    "tasks",
    "publish",
    "pull_request",
    "cleanup",
  ]) {
    expect(done.stdout).toMatch(new RegExp(`^✓ ${phase} +\\d+\\.\\d s`, "m"));
  }
  expect(done.stdout).toMatch(/specs\/001-\S+\/spec\.md · \d+ checks passed/);
  expect(done.stdout).toContain("with Codex and your own key (npm install -g @openai/codex@");
  expect(lines.slice(-4).join("\n")).toMatch(/--dry-run\n.*\n {2}npm run fleet$/);

  const branch = /^branch {4}(\S+)$/m.exec(done.stdout)?.[1] ?? "";
  const remote = join(folder.path, ".speckit", "demo", "remote.git");
  const subjects = (await git(remote, "log", "--format=%s", `main..${branch}`)).split("\n");
  expect(subjects).toHaveLength(3);
  const files = await git(remote, "ls-tree", "-r", "--name-only", branch);
  for (const name of ["spec.md", "plan.md", "tasks.md"]) {
    expect(files).toMatch(new RegExp(`^specs/001-[a-z-]+/${name}$`, "m"));
  }
});
