import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SpeckitError } from "../../../src/domain/speckit-error.ts";
import { recordedGit } from "./fixtures/recorded-git.ts";
import { type RemoteRepository, remoteRepository } from "./fixtures/remote-repository.ts";
import { BRANCH, machine, preparedRun, RUN_ID, rejection, soon } from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

const ask = (gitRemote: string, more: { baseBranch?: string; branch?: string } = {}) => ({
  runId: RUN_ID,
  gitRemote,
  baseBranch: more.baseBranch,
  branch: more.branch ?? BRANCH,
});

function remoteWithBranches(): RemoteRepository {
  const remote = remoteRepository();
  remote.git("branch", "release/1.x", "main");
  remote.git("branch", "other/main", "main");
  remote.commit("main", { "README.md": "# Newer\n" });
  return remote;
}

describe("what the remote says", () => {
  test("the default branch where none is named, and no old commit of ours", async () => {
    const remote = remoteWithBranches();
    expect(await machine().git.fetchBase(ask(remote.gitRemote), soon())).toEqual({
      baseBranch: "main",
      baseSha: remote.sha("main"),
      branchOldSha: null,
    });
  });

  test("the named branch, and where our branch stood", async () => {
    const remote = remoteWithBranches();
    remote.git("branch", BRANCH, "release/1.x");
    const facts = await machine().git.fetchBase(
      ask(remote.gitRemote, { baseBranch: "release/1.x" }),
      soon(),
    );
    expect(facts).toEqual({
      baseBranch: "release/1.x",
      baseSha: remote.sha("release/1.x"),
      branchOldSha: remote.sha(BRANCH),
    });
  });

  test("a default branch by another name", async () => {
    const remote = remoteWithBranches();
    remote.git("symbolic-ref", "HEAD", "refs/heads/release/1.x");
    expect((await machine().git.fetchBase(ask(remote.gitRemote), soon())).baseBranch).toBe(
      "release/1.x",
    );
  });

  test("a shallow clone as remote is refused with the command that makes it whole", async () => {
    const remote = remoteWithBranches();
    const shallow = join(temporaryFolder(), "shallow");
    execFileSync("git", ["clone", "-q", "--depth=1", remote.gitRemote, shallow]);
    const error = await rejection(machine().git.fetchBase(ask(`file://${shallow}`), soon()));
    expect(error).toMatchObject({
      failure: {
        code: "BASE_BRANCH_NOT_FOUND",
        message: expect.stringContaining("shallow"),
        remedy: expect.stringContaining("git fetch --unshallow"),
      },
    });
  });

  test("a second fetch of a moved branch gives the newer commit", async () => {
    const remote = remoteWithBranches();
    const { git } = machine();
    await git.fetchBase(ask(remote.gitRemote), soon());
    const newer = remote.commit("main", { "b.md": "b" });
    expect((await git.fetchBase(ask(remote.gitRemote), soon())).baseSha).toBe(newer);
  });
});

describe("what ends a run here", () => {
  test("an empty repository", async () => {
    const remote = remoteRepository({ files: {} });
    const { git } = machine();
    for (const request of [ask(remote.gitRemote), ask(remote.gitRemote, { baseBranch: "main" })]) {
      const error = await rejection(git.fetchBase(request, soon()));
      expect(error.code).toBe("REPOSITORY_EMPTY");
      expect(error.message).toContain(remote.gitRemote);
    }
  });

  test("a base branch that is not there, even if another one ends like it", async () => {
    const remote = remoteWithBranches();
    const error = await rejection(
      machine().git.fetchBase(ask(remote.gitRemote, { baseBranch: "1.x" }), soon()),
    );
    expect(error.code).toBe("BASE_BRANCH_NOT_FOUND");
    expect(error.message).toContain("expected a branch 1.x");
  });

  test("a default branch that does not exist", async () => {
    const remote = remoteWithBranches();
    remote.git("symbolic-ref", "HEAD", "refs/heads/gone");
    expect((await rejection(machine().git.fetchBase(ask(remote.gitRemote), soon()))).code).toBe(
      "BASE_BRANCH_NOT_FOUND",
    );
  });

  test("a branch of ours that could never be pushed to, before an agent works for it", async () => {
    const remote = remoteWithBranches();
    remote.git("branch", BRANCH, "main");
    remote.commit(BRANCH, { "theirs.md": "x" });
    const error = await rejection(machine().git.fetchBase(ask(remote.gitRemote), soon()));
    expect(error.code).toBe("BRANCH_DIVERGED");
    expect(error.message).toContain(remote.sha(BRANCH));
  });

  test("a folder that is not there, or is no repository", async () => {
    const folder = temporaryFolder();
    for (const gitRemote of [`file://${folder}`, `file://${folder}/none.git`]) {
      expect((await rejection(machine().git.fetchBase(ask(gitRemote), soon()))).code).toBe(
        "REPOSITORY_NOT_FOUND",
      );
    }
  });

  test("names that are no branches", async () => {
    const remote = remoteWithBranches();
    for (const more of [
      { branch: "--force" },
      { branch: "a..b" },
      { baseBranch: "-x" },
      { baseBranch: "main:x" },
    ]) {
      const error = await rejection(machine().git.fetchBase(ask(remote.gitRemote, more), soon()));
      expect(error.code).toBe("REQUEST_INVALID");
    }
  });

  test("a remote git would take for an option or a command: git is not even started", async () => {
    const recorder = recordedGit();
    const { git } = machine({ environment: recorder.environment });
    for (const gitRemote of ["ext::sh -c id", "--upload-pack=id", "http://host/a", "../x"]) {
      expect((await rejection(git.fetchBase(ask(gitRemote), soon()))).code).toBe(
        "REPOSITORY_INVALID",
      );
    }
    expect(recorder.calls()).toEqual([]);
  });

  test("a path of this machine where paths are not allowed", async () => {
    const remote = remoteRepository();
    const { git } = machine({ allowFile: false });
    expect((await rejection(git.fetchBase(ask(remote.gitRemote), soon()))).code).toBe(
      "REPOSITORY_NOT_ALLOWED",
    );
  });

  test("a machine without git", async () => {
    const remote = remoteRepository();
    const { git } = machine({ environment: { PATH: temporaryFolder() } });
    const error = (await rejection(git.fetchBase(ask(remote.gitRemote), soon()))) as SpeckitError;
    expect(error.code).toBe("CONFIGURATION_INVALID");
    expect(error.failure.remedy).toContain("Install git");
  });
});

test("a repository of another user of this machine is read, because its path was allowed", async () => {
  const remote = remoteRepository();
  // Git's own switch to take every folder for another user's.
  const foreign = recordedGit({ GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" });
  const { git, stateDir } = machine({ environment: foreign.environment });
  const facts = await git.fetchBase(ask(remote.gitRemote), soon());
  expect(facts.baseSha).toBe(remote.sha("main"));
  // Without the line that names this one path, git refuses it.
  const [name] = readdirSync(join(stateDir, "cache")).filter((entry) =>
    entry.endsWith(".gitconfig"),
  );
  expect(readFileSync(join(stateDir, "cache", name ?? ""), "utf8")).toContain(`"${remote.path}"`);
  const plain = { ...foreign.environment, GIT_CONFIG_GLOBAL: "/dev/null" };
  expect(() =>
    execFileSync("git", ["ls-remote", remote.gitRemote], { env: plain, stdio: "pipe" }),
  ).toThrow(/dubious ownership/);
});

describe("files of the base commit", () => {
  test("every path but folders, and texts of regular files", async () => {
    const remote = remoteRepository();
    remote.commit("main", {
      "specs/002-second/spec.md": "x",
      "specs/README.md": "x",
      "link.md": { link: "README.md" },
      "big.txt": "x".repeat(1024 * 1024 + 1),
      "é*.md": "odd",
    });
    const { git } = machine();
    const files = await git.baseFiles(await preparedRun(git, remote), soon());
    expect(await files.listPaths()).toEqual(
      expect.arrayContaining(["specs/002-second/spec.md", "specs/README.md", "link.md", "é*.md"]),
    );
    expect(await files.read("README.md")).toBe("# Project\n");
    expect(await files.read("é*.md")).toBe("odd");
    for (const path of [
      "none.md",
      "specs",
      "link.md",
      "big.txt",
      "*.md",
      "../x",
      ":(top)README.md",
    ]) {
      expect(await files.read(path).catch(() => undefined), path).toBeUndefined();
    }
  });
});
