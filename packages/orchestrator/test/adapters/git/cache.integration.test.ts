import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { plainGit } from "./fixtures/plain-git.ts";
import { recordedGit } from "./fixtures/recorded-git.ts";
import { remoteRepository, writeFiles } from "./fixtures/remote-repository.ts";
import {
  ABOUT,
  BRANCH,
  committed,
  FEATURE,
  machine,
  preparedRun,
  RUN_ID,
  rejection,
  SPECIFY,
  soon,
} from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

function cacheOf(stateDir: string): string {
  const names = readdirSync(join(stateDir, "cache")).filter((name) => !name.endsWith(".gitconfig"));
  expect(names).toHaveLength(1);
  return join(stateDir, "cache", names[0] ?? "");
}

describe("one cache for many", () => {
  test("ten runs in two processes prepare the same remote at once", async () => {
    const remote = remoteRepository();
    const stateDir = join(temporaryFolder(), "state");
    const program = join(import.meta.dirname, "fixtures", "start-attempts.ts");
    const runIds = Array.from({ length: 10 }, (_, ix) => `run-${ix}`);
    const outputs = await Promise.all(
      [runIds.slice(0, 5), runIds.slice(5)].map(async (ids) => {
        const args = [program, stateDir, remote.gitRemote, ...ids];
        return (await promisify(execFile)(process.execPath, args, { timeout: 90_000 })).stdout;
      }),
    );
    const lines = outputs.join("").trim().split("\n");
    expect(lines).toHaveLength(10);
    for (const line of lines) {
      const [sha, workspace = ""] = line.split(" ");
      expect(sha).toBe(remote.sha("main"));
      expect(plainGit(workspace, "status", "--porcelain")).toBe("");
    }
    plainGit(cacheOf(stateDir), "fsck", "--full", "--strict");
  });

  test("nothing an agent made enters it", async () => {
    const remote = remoteRepository();
    const { git, stateDir } = machine();
    const run = await preparedRun(git, remote);
    const objects = () =>
      plainGit(cacheOf(stateDir), "cat-file", "--batch-all-objects", "--batch-check");
    const before = objects();
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await git.push(after, null, soon());
    expect(objects()).toBe(before);
    expect(plainGit(join(stateDir, "runs", RUN_ID, "git"), "cat-file", "-t", after.tipSha)).toBe(
      "commit",
    );
  });

  test("a later run fetches only what is new", async () => {
    const noise = createHash("sha512").update("seed").digest("hex").repeat(2_000);
    const remote = remoteRepository({ files: { "big.txt": noise } });
    const { git, stateDir } = machine();
    await preparedRun(git, remote, "run-1");
    await git.removeRun("run-1", remote.gitRemote);
    remote.commit("main", { "small.txt": "x" });
    const objects = () => plainGit(cacheOf(stateDir), "count-objects", "-v");
    const count = (text: string) =>
      Number(/^count: (\d+)/m.exec(text)?.[1]) + Number(/in-pack: (\d+)/.exec(text)?.[1]);
    const before = count(objects());
    await preparedRun(git, remote, "run-2");
    // One commit, one tree, one blob.
    expect(count(objects()) - before).toBe(3);
  });
});

describe("what was lost is fetched or made again", () => {
  test("the cache, at every step", async () => {
    const remote = remoteRepository();
    const { git, stateDir } = machine();
    const lose = () => rmSync(join(stateDir, "cache"), { recursive: true });
    const run = await preparedRun(git, remote);
    lose();
    expect(await (await git.baseFiles(run, soon())).read("README.md")).toBe("# Project\n");
    lose();
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    lose();
    const harvest = await git.harvest(run, SPECIFY, soon());
    const after = await committed(run, harvest);
    lose();
    expect((await git.diff(after, soon())).stat.files).toBe(1);
    lose();
    await git.push(after, null, soon());
    expect(remote.sha(BRANCH)).toBe(after.tipSha);
  });

  test("content the run had borrowed from another branch of a lost cache", async () => {
    const remote = remoteRepository();
    remote.git("branch", "other", "main");
    remote.commit("other", { "shared.md": "the same text\n" });
    const { git, stateDir } = machine();
    await git.fetchBase(
      {
        runId: "other-run",
        gitRemote: remote.gitRemote,
        baseBranch: "other",
        branch: "speckit/other",
      },
      soon(),
    );
    const run = await preparedRun(git, remote);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "the same text\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    rmSync(join(stateDir, "cache"), { recursive: true });
    const { patch } = await git.diff(after, soon());
    expect(patch).toContain("+the same text");
    await git.push(after, null, soon());
    remote.git("fsck", "--full");
  });

  test("a base that was rewritten at the remote during the run", async () => {
    const remote = remoteRepository();
    const { git } = machine();
    const base = remote.commit("main", { "lost.md": "x" });
    const run = await preparedRun(git, remote);
    remote.git("update-ref", "refs/heads/main", `${base}~1`);
    const elsewhere = machine();
    const folders = await elsewhere.git.createAttempt(run, SPECIFY, soon());
    expect(existsSync(join(folders.workspace, "lost.md"))).toBe(true);
    remote.git("reflog", "expire", "--expire=now", "--all");
    remote.git("gc", "--quiet", "--prune=now");
    const error = await rejection(machine().git.createAttempt(run, SPECIFY, soon()));
    expect(error.code).toBe("BASE_BRANCH_NOT_FOUND");
  });

  test("a server that gives commits only by branch names is asked for its branches", async () => {
    const remote = remoteRepository();
    const run = await preparedRun(machine().git, remote);
    remote.commit("main", { "newer.md": "x" });
    // The oldest protocol, in which a commit must be the end of a branch to be asked for.
    const old = recordedGit({
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "protocol.version",
      GIT_CONFIG_VALUE_0: "0",
    });
    const { git } = machine({ environment: old.environment });
    const folders = await git.createAttempt(run, SPECIFY, soon());
    expect(existsSync(join(folders.workspace, "newer.md"))).toBe(false);
    expect(old.calls().some(({ args }) => args.includes("+refs/heads/*:"))).toBe(true);
  });

  test("a damaged run repository, a checkpoint that is none", async () => {
    const remote = remoteRepository();
    const { git, stateDir } = machine();
    const run = await preparedRun(git, remote);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    const repository = join(stateDir, "runs", RUN_ID, "git");
    rmSync(join(repository, "HEAD"));
    rmSync(join(repository, "refs"), { recursive: true });
    await git.push(after, null, soon());
    expect(remote.sha(BRANCH)).toBe(after.tipSha);

    for (const bytes of [undefined, new Uint8Array([1, 2, 3])]) {
      const broken = { ...after, loadCheckpoint: async () => bytes };
      const error = await rejection(machine().git.createAttempt(broken, SPECIFY, soon()));
      expect(error.code).toBe("GIT_FAILED");
      expect(error.message).toContain(after.tipSha);
    }
  });

  test("a state folder that was moved", async () => {
    const remote = remoteRepository();
    const first = machine();
    const run = await preparedRun(first.git, remote);
    const { workspace } = await first.git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await first.git.harvest(run, SPECIFY, soon()));
    const stateDir = `${first.stateDir}-moved`;
    renameSync(first.stateDir, stateDir);
    expect((await machine({ stateDir }).git.diff(after, soon())).stat.files).toBe(1);
  });

  test("locks and half-written files that a killed git left", async () => {
    const remote = remoteRepository();
    const { git, stateDir } = machine();
    const run = await preparedRun(git, remote);
    const cache = cacheOf(stateDir);
    const [base = ""] = readdirSync(join(cache, "refs/base"));
    for (const lock of [
      `refs/base/${base}.lock`,
      "packed-refs.lock",
      "HEAD.lock",
      "config.lock",
      "shallow.lock",
    ]) {
      writeFileSync(join(cache, lock), "");
    }
    writeFileSync(join(cache, "objects/pack/tmp_pack_x"), "half a pack");
    mkdirSync(join(stateDir, "runs", RUN_ID, "git.0123.part"), { recursive: true });
    execFileSync("touch", ["-d", "1 hour ago", join(cache, `refs/base/${base}.lock`)]);
    remote.commit("main", { "newer.md": "x" });
    const next = await preparedRun(git, remote, "run-2");
    expect(next.baseSha).toBe(remote.sha("main"));
    await git.createAttempt(run, SPECIFY, soon());
    // The old lock is gone with the first one who met it.
    expect(existsSync(join(cache, `refs/base/${base}.lock`))).toBe(false);
  });
});

test("an attempt and a run are removed whatever an agent left in them", async () => {
  const remote = remoteRepository();
  const { git, stateDir } = machine();
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  const outside = temporaryFolder();
  writeFileSync(join(outside, "kept"), "x");
  // Deeper than any path the system takes, a folder nobody may write to, a link out.
  const dig = `for (let ix = 0; ix < 60; ix++) { fs.mkdirSync(NAME); process.chdir(NAME); }`;
  execFileSync(process.execPath, ["-e", `const NAME = "d".repeat(100); ${dig}`], {
    cwd: workspace,
  });
  writeFiles(workspace, { "locked/file": "x", out: { link: outside } });
  chmodSync(join(workspace, "locked"), 0);
  expect((await rejection(git.harvest(run, SPECIFY, soon()))).code).toBe("WORKSPACE_REFUSED");
  await git.removeAttempt(RUN_ID, SPECIFY);
  expect(readdirSync(join(stateDir, "runs", RUN_ID))).toEqual(["git"]);
  expect(readFileSync(join(outside, "kept"), "utf8")).toBe("x");
  await git.removeRun(RUN_ID, remote.gitRemote);
  expect(readdirSync(join(stateDir, "runs"))).toEqual([]);
});

test("a harvest whose run repository vanished before the commit fails and is made again", async () => {
  const remote = remoteRepository();
  const { git, stateDir } = machine();
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
  const harvest = await git.harvest(run, SPECIFY, soon());
  rmSync(join(stateDir, "runs", RUN_ID, "git"), { recursive: true });
  expect((await rejection(harvest.commit(ABOUT))).code).toBe("GIT_FAILED");
  expect((await committed(run, await git.harvest(run, SPECIFY, soon()))).patch).toContain(
    "+# Spec",
  );
});
