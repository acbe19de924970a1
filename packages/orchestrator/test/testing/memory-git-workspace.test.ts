import { describeGitWorkspace, SUITE_FILES } from "../../src/testing/git-workspace-contract.ts";
import { commitTo, memoryMachine, memoryRemote } from "../../src/testing/memory/index.ts";

describeGitWorkspace("memory", async () => {
  const gitRemote = "memory:remote";
  const remote = memoryRemote(SUITE_FILES);
  const remotes = new Map([[gitRemote, remote]]);
  const [here, there] = [memoryMachine(remotes), memoryMachine(remotes)];
  return {
    git: here.git,
    elsewhere: there.git,
    gitRemote,
    missingRemote: "memory:gone",
    headOf: async (branch) => remote.branches.get(branch) ?? null,
    textOf: async (branch, path) =>
      remote.commits.get(remote.branches.get(branch) ?? "")?.tree.get(path),
    moveBranch: async (branch) => {
      remote.branches.set(branch, remote.branches.get("main") ?? "");
      return commitTo(remote, branch, { "other.txt": "x\n" });
    },
    work: async (workspace, changes) => {
      for (const machine of [here, there]) {
        const files = machine.workspaces.get(workspace);
        for (const [path, text] of Object.entries(changes)) {
          if (text === null) {
            files?.delete(path);
          } else {
            files?.set(path, text);
          }
        }
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
