import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plainGit } from "./fixtures/plain-git.ts";
import { remoteRepository } from "./fixtures/remote-repository.ts";
import { machine, preparedRun, SPECIFY, soon } from "./fixtures/run-fixture.ts";

async function attempt() {
  const { git } = machine();
  const run = await preparedRun(git, remoteRepository());
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  return {
    run,
    workspace,
    head: async () => (await git.harvest(run, SPECIFY, soon())).head,
    agentsGit: (...args: readonly string[]) =>
      plainGit(workspace, "-c", "user.name=a", "-c", "user.email=a@b", ...args).trim(),
  };
}

describe("where an agent left its workspace", () => {
  test("another branch, a commit of its own, packed refs, no branch at all", async () => {
    const { run, head, agentsGit } = await attempt();
    agentsGit("checkout", "-q", "-b", "001-oauth");
    expect(await head()).toEqual({ branch: "001-oauth", sha: run.tipSha });
    agentsGit("commit", "-q", "--allow-empty", "-m", "mine");
    const sha = agentsGit("rev-parse", "HEAD");
    expect(await head()).toEqual({ branch: "001-oauth", sha });
    agentsGit("pack-refs", "--all");
    expect(await head()).toEqual({ branch: "001-oauth", sha });
    agentsGit("checkout", "-q", "--detach");
    expect(await head()).toEqual({ branch: null, sha });
  });

  test("what is no plain branch or commit cannot be told, and leads nowhere", async () => {
    const { workspace, head } = await attempt();
    const file = join(workspace, ".git/HEAD");
    for (const text of [
      "ref: refs/heads/../../../../../../etc/passwd\n",
      "ref: refs/tags/x\n",
      "x",
      "",
    ]) {
      writeFileSync(file, text);
      expect(await head(), text).toEqual({ branch: null, sha: null });
    }
    rmSync(file);
    symlinkSync("/etc/hostname", file);
    expect(await head()).toEqual({ branch: null, sha: null });
    rmSync(join(workspace, ".git"), { recursive: true });
    expect(await head()).toEqual({ branch: null, sha: null });
  });
});
