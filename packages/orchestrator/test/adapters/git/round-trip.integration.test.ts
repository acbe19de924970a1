import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plainGit } from "./fixtures/plain-git.ts";
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

const SPEC = `${FEATURE}/spec.md`;

describe("a run from base to branch", () => {
  test("an agent's tree arrives at the remote as one commit of ours on the base", async () => {
    const remote = remoteRepository();
    const { git } = machine();
    const base = remote.sha("main");
    const run = await preparedRun(git, remote);
    expect(run.baseSha).toBe(base);

    const { workspace, home } = await git.createAttempt(run, SPECIFY, soon());
    expect(readFileSync(join(workspace, "README.md"), "utf8")).toBe("# Project\n");
    expect(statSync(join(workspace, "bin/run.sh")).mode & 0o111).not.toBe(0);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    writeFiles(workspace, {
      [SPEC]: "# Feature Specification: OAuth\n",
      "README.md": "# Changed\n",
    });
    rmSync(join(workspace, "src/app.ts"));

    const harvest = await git.harvest(run, SPECIFY, soon());
    expect(harvest.changed).toEqual([
      { path: "README.md", kind: "changed" },
      { path: SPEC, kind: "added" },
      { path: "src/app.ts", kind: "removed" },
    ]);
    expect(harvest.read(SPEC)).toBe("# Feature Specification: OAuth\n");
    const after = await committed(run, harvest);
    expect(after.patch).toContain("+# Feature Specification: OAuth");
    expect(await git.diff(after, soon())).toMatchObject({
      stat: { files: 3, insertions: 2, deletions: 2 },
      patch: expect.stringContaining("-export const answer = 42;"),
    });
    await git.push(after, null, soon());

    expect(remote.sha(BRANCH)).toBe(after.tipSha);
    expect(remote.git("log", "--format=%an <%ae> %at %cn %ct %s|%P", `main..${BRANCH}`)).toBe(
      `Speckit <speckit@example.test> ${ABOUT.dateSeconds} Speckit ${ABOUT.dateSeconds} Specify: add OAuth login|${base}`,
    );
    expect(remote.git("show", `${BRANCH}:${SPEC}`)).toBe("# Feature Specification: OAuth");
    expect(remote.git("ls-tree", "-r", "--name-only", BRANCH).split("\n")).not.toContain(
      "src/app.ts",
    );
    remote.git("fsck", "--strict", "--full");
  });

  test("a second push of the same tip is done without asking for more", async () => {
    const remote = remoteRepository();
    const { git } = machine();
    const run = await preparedRun(git, remote);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [SPEC]: "x\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await git.push(after, null, soon());
    await git.push(after, null, soon());
    expect(remote.sha(BRANCH)).toBe(after.tipSha);
  });

  test("the same tree, message and date give the same commit after everything local is lost", async () => {
    const remote = remoteRepository();
    const { git, stateDir } = machine();
    const tips: string[] = [];
    for (let round = 0; round < 2; round++) {
      const run = await preparedRun(git, remote);
      const { workspace } = await git.createAttempt(run, SPECIFY, soon());
      writeFiles(workspace, { [SPEC]: "# Spec\n", [`${FEATURE}/notes/a b.md`]: "ü\n" });
      tips.push((await committed(run, await git.harvest(run, SPECIFY, soon()))).tipSha);
      rmSync(stateDir, { recursive: true });
    }
    expect(tips[1]).toBe(tips[0]);
    expect(tips[0]).toMatch(/^[0-9a-f]{40}$/);
  });

  test("a run goes on from its checkpoint on another machine, with the same next commit", async () => {
    const remote = remoteRepository();
    const first = machine();
    const run = await preparedRun(first.git, remote);
    const { workspace } = await first.git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [SPEC]: "# Spec\n" });
    const after = await committed(run, await first.git.harvest(run, SPECIFY, soon()));

    const plan = { phase: "plan", attempt: 1, featureDirectory: FEATURE } as const;
    const tips: string[] = [];
    for (const { git } of [first, machine()]) {
      const folders = await git.createAttempt(after, plan, soon());
      expect(readFileSync(join(folders.workspace, SPEC), "utf8")).toBe("# Spec\n");
      writeFiles(folders.workspace, { [`${FEATURE}/plan.md`]: "# Plan\n" });
      const harvest = await git.harvest(after, plan, soon());
      expect(harvest.read(SPEC)).toBe("# Spec\n");
      const next = await committed(after, harvest);
      expect(next.patch).not.toContain("spec.md");
      tips.push(next.tipSha);
      await git.push(next, null, soon());
    }
    expect(tips[1]).toBe(tips[0]);
    expect(remote.git("rev-list", "--count", `main..${BRANCH}`)).toBe("2");
  });

  test("a commit that was made but never recorded is made again, with the same id", async () => {
    const remote = remoteRepository();
    const { git } = machine();
    const run = await preparedRun(git, remote);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [SPEC]: "# Spec\n" });
    const first = await committed(run, await git.harvest(run, SPECIFY, soon()));
    // The worker dies before its row is written: the next one still has the base as tip.
    const second = await committed(run, await git.harvest(run, SPECIFY, soon()));
    expect(second.tipSha).toBe(first.tipSha);
  });

  test("an agent that changes nothing leaves the tip and no checkpoint", async () => {
    const remote = remoteRepository();
    const { git } = machine();
    const run = await preparedRun(git, remote);
    await git.createAttempt(run, SPECIFY, soon());
    const harvest = await git.harvest(run, SPECIFY, soon());
    expect(harvest.changed).toEqual([]);
    expect(await harvest.commit(ABOUT)).toEqual({
      tipSha: run.baseSha,
      checkpoint: undefined,
      patch: "",
    });
  });

  test("a repository of SHA-256 objects goes the same way", async () => {
    const remote = remoteRepository({ format: "sha256" });
    const { git } = machine();
    const run = await preparedRun(git, remote);
    expect(run.baseSha).toMatch(/^[0-9a-f]{64}$/);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [SPEC]: "# Spec\n", "README.md": "# Other\n" });
    const harvest = await git.harvest(run, SPECIFY, soon());
    expect(harvest.changed).toHaveLength(2);
    const after = await committed(run, harvest);
    await machine().git.push(after, null, soon());
    expect(remote.sha(BRANCH)).toBe(after.tipSha);
  });
});

describe("an attempt's folders", () => {
  test("the workspace is a repository of its own: on the branch, clean, without remote or history", async () => {
    const remote = remoteRepository();
    remote.commit("main", { "README.md": "# Second\n" });
    const { git, stateDir } = machine();
    const run = await preparedRun(git, remote);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    rmSync(join(stateDir, "cache"), { recursive: true });
    rmSync(join(stateDir, "runs", RUN_ID, "git"), { recursive: true });
    expect(plainGit(workspace, "status", "--porcelain", "--branch")).toBe(`## ${BRANCH}`);
    expect(plainGit(workspace, "rev-parse", "HEAD")).toBe(run.baseSha);
    expect(plainGit(workspace, "remote")).toBe("");
    expect(plainGit(workspace, "rev-list", "--count", "HEAD")).toBe("1");
    plainGit(workspace, "fsck", "--full");
    expect(readFileSync(join(workspace, ".git/config"), "utf8")).not.toContain(stateDir);
  });

  test("a second start of the same attempt finds nothing of the first", async () => {
    const remote = remoteRepository();
    const { git } = machine();
    const run = await preparedRun(git, remote);
    const first = await git.createAttempt(run, SPECIFY, soon());
    writeFileSync(join(first.workspace, "left.txt"), "x");
    writeFileSync(join(first.home, "left.txt"), "x");
    const second = await git.createAttempt(run, SPECIFY, soon());
    expect(second).toEqual(first);
    expect(existsSync(join(second.workspace, "left.txt"))).toBe(false);
    expect(existsSync(join(second.home, "left.txt"))).toBe(false);
  });

  test("removing takes all of a run but the cache, and missing things are fine", async () => {
    const remote = remoteRepository();
    const { git, stateDir } = machine();
    const run = await preparedRun(git, remote);
    await git.createAttempt(run, SPECIFY, soon());
    await git.removeAttempt(RUN_ID, SPECIFY);
    await git.removeAttempt(RUN_ID, SPECIFY);
    expect(existsSync(join(stateDir, "runs", RUN_ID, "specify-1"))).toBe(false);
    await git.removeRun(RUN_ID, remote.gitRemote);
    await git.removeRun(RUN_ID, remote.gitRemote);
    expect(existsSync(join(stateDir, "runs", RUN_ID))).toBe(false);
    const [cache] = readdirSync(join(stateDir, "cache")).filter((name) => name.endsWith(".git"));
    const refs = plainGit(
      join(stateDir, "cache", cache ?? ""),
      "for-each-ref",
      "--format=%(refname)",
    );
    expect(refs).toMatch(/^refs\/base\/[0-9a-f]{16}$/);
  });

  test("a name that could leave the state folder is refused", async () => {
    const { git } = machine();
    const error = await rejection(git.removeAttempt(RUN_ID, { phase: "../../etc", attempt: 1 }));
    expect(error.code).toBe("INTERNAL_ERROR");
    expect((await rejection(git.removeRun("..", "file:///x"))).code).toBe("INTERNAL_ERROR");
  });
});
