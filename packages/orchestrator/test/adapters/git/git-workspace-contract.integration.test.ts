import { rmSync } from "node:fs";
import { join } from "node:path";
import { describeGitWorkspace, SUITE_FILES } from "../../../src/testing/git-workspace-contract.ts";
import { plainGit } from "./fixtures/plain-git.ts";
import { remoteRepository, writeFiles } from "./fixtures/remote-repository.ts";
import { machine } from "./fixtures/run-fixture.ts";

describeGitWorkspace("git", async () => {
  const remote = remoteRepository({ files: SUITE_FILES });
  const heads = () =>
    remote.git("for-each-ref", "--format=%(refname:short) %(objectname)").split("\n");
  return {
    git: machine().git,
    elsewhere: machine().git,
    gitRemote: remote.gitRemote,
    missingRemote: `${remote.gitRemote}.gone`,
    headOf: async (branch) =>
      heads()
        .find((line) => line.startsWith(`${branch} `))
        ?.split(" ")[1] ?? null,
    textOf: async (branch, path) => `${plainGit(remote.path, "show", `${branch}:${path}`)}\n`,
    moveBranch: async (branch) => {
      remote.git("branch", "--force", branch, "main");
      return remote.commit(branch, { "other.txt": "x\n" });
    },
    work: async (workspace, changes) => {
      for (const [path, text] of Object.entries(changes)) {
        if (text === null) {
          rmSync(join(workspace, path));
        } else {
          writeFiles(workspace, { [path]: text });
        }
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
