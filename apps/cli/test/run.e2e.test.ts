import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runResultSchema } from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { git } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;
let remote: string;

beforeAll(async () => {
  folder = await stateFolder("cli-run");
  remote = await makeSampleRemote(folder.path);
});

afterAll(() => folder[Symbol.asyncDispose]());

const run = (...args: readonly string[]) =>
  cli(folder.path).run(["run", remote, ...args, "--agent", "scripted", "--json"]);

describe("speckit run", () => {
  test("prints exactly one result document, and the branch has one commit per phase", async () => {
    const done = await run("Add OAuth login");
    expect(done.exitCode, done.stderr).toBe(0);
    const result = runResultSchema.parse(JSON.parse(done.stdout));
    expect(result).toMatchObject({
      status: "succeeded",
      pushed: true,
      agent: "scripted",
      featureDirectory: "specs/001-add-oauth-login",
      usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 },
    });
    expect(result.summary).toMatchObject({ title: "Add OAuth login", tasks: { total: 7 } });
    expect(result.phases.map(({ name, status, attempt }) => ({ name, status, attempt }))).toEqual(
      ["prepare", "specify", "plan", "tasks", "publish", "pull_request", "cleanup"].map((name) => ({
        name,
        status: "succeeded",
        attempt: 1,
      })),
    );

    const keptMs = Date.parse(result.artifactsExpireAt ?? "") - Date.now();
    expect(keptMs).toBeGreaterThan(7 * 86_400_000 - 60_000);

    const log = await git(remote, "log", "--format=%s", `main..${result.branch}`);
    expect(log.split("\n")).toEqual([
      "docs: tasks specs/001-add-oauth-login",
      "docs: plan specs/001-add-oauth-login",
      "docs: specify specs/001-add-oauth-login",
    ]);
    expect(await git(remote, "rev-parse", result.branch)).toBe(result.headSha);
    expect(await git(remote, "rev-parse", "main")).toBe(result.baseSha);
    const files = (await git(remote, "ls-tree", "-r", "--name-only", result.branch)).split("\n");
    for (const name of ["spec.md", "plan.md", "tasks.md"]) {
      expect(files).toContain(`specs/001-add-oauth-login/${name}`);
    }
    const numstat = await git(remote, "diff", "--numstat", "main", result.branch);
    expect(result.diff.files).toBe(numstat.split("\n").length);

    expect(result.artifacts.map((artifact) => artifact.name)).toEqual(
      expect.arrayContaining([
        "specify-1/prompt.md",
        "plan-1/stdout.log",
        "run.patch",
        "checkpoint.bundle",
      ]),
    );
    for (const { name, bytes, sha256 } of result.artifacts) {
      const content = await readFile(join(folder.path, "artifacts", result.runId, name));
      expect(content.length, name).toBe(bytes);
      expect(createHash("sha256").update(content).digest("hex"), name).toBe(sha256);
    }
  });

  test("the same idempotency key twice is one run and one branch; with another body it is refused", async () => {
    const first = await run("Add a search page", "--idempotency-key", "ticket-1");
    const second = await run("Add a search page", "--idempotency-key", "ticket-1");
    expect(second.exitCode, second.stderr).toBe(0);
    const [a, b] = [first, second].map((done) => JSON.parse(done.stdout));
    expect(b.runId).toBe(a.runId);
    expect(b.branch).toBe(a.branch);
    const branches = await git(remote, "branch", "--list", "speckit/add-a-search-page-*");
    expect(branches.trim().split("\n")).toHaveLength(1);

    const other = await run("Add another page", "--idempotency-key", "ticket-1");
    expect(other.exitCode).toBe(2);
    expect(JSON.parse(other.stdout)).toMatchObject({
      status: "rejected",
      failure: { code: "REQUEST_CONFLICT" },
    });
  });

  test("a dry run does everything but the push", async () => {
    const done = await run("Add a dry page", "--dry-run");
    expect(done.exitCode, done.stderr).toBe(0);
    const result = JSON.parse(done.stdout);
    expect(result).toMatchObject({ status: "succeeded", pushed: false });
    expect(result.diff.files).toBeGreaterThan(3);
    expect(await git(remote, "branch", "--list", result.branch)).toBe("");
  });

  test.each(["with spaces and häuser", "per%20cent", "hash#question?"])(
    "a repository in a folder %j is taken by its path, relative or absolute",
    async (name) => {
      const odd = await makeSampleRemote(join(folder.path, name));
      for (const path of [odd, join(name, "remote.git")]) {
        const done = await cli(folder.path).run([
          "run",
          path,
          "Add it",
          "--agent",
          "scripted",
          "--json",
        ]);
        expect(done.exitCode, done.stderr).toBe(0);
        const { branch, headSha } = JSON.parse(done.stdout);
        expect(await git(odd, "rev-parse", branch)).toBe(headSha);
      }
    },
  );

  test("phases that were not asked for are skipped", async () => {
    const done = await run("Add a lone spec", "--phases", "specify");
    expect(done.exitCode, done.stderr).toBe(0);
    const { phases } = JSON.parse(done.stdout) as {
      phases: { name: string; status: string; attempt: number }[];
    };
    expect(phases.map(({ name, status, attempt }) => `${name} ${status} ${attempt}`)).toEqual([
      "prepare succeeded 1",
      "specify succeeded 1",
      "plan skipped 0",
      "tasks skipped 0",
      "publish succeeded 1",
      "pull_request succeeded 1",
      "cleanup succeeded 1",
    ]);
  });

  test("status, list and logs show the run afterwards, and nothing is left of its workspaces", async () => {
    const { runId } = JSON.parse((await run("Add a page to look at")).stdout);
    const speckit = cli(folder.path);
    const status = await speckit.run(["status", runId, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({ runId, status: "succeeded" });
    const shown = await speckit.run(["status", runId]);
    expect(shown.stdout).toContain("2 stories (US1 P1, US2 P2), 2 requirements");
    const list = await speckit.run(["list", "--json"]);
    expect(JSON.parse(list.stdout)[0]).toMatchObject({ runId, status: "succeeded" });
    const logs = await speckit.run(["logs", runId]);
    expect(logs.stdout).toContain("Scripted agent");
    expect(logs.stdout).toContain("phase.succeeded tasks-1");
    await expect(readFile(join(folder.path, "runs", runId))).rejects.toThrow("ENOENT");
  });
});
