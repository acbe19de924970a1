import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLAIN_ENVIRONMENT, plainGit } from "./fixtures/plain-git.ts";
import {
  type RemoteRepository,
  remoteRepository,
  writeFiles,
} from "./fixtures/remote-repository.ts";
import { committed, machine, preparedRun, SPECIFY, soon } from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

/**
 * A repository and a workspace full of ways to make git run a program or go somewhere else. Each is
 * shown to work with plain git in the same place, so that one that has lost its point does not pass for safe.
 */
interface Trick {
  readonly name: string;
  /** Lines for the workspace's `.git/config`. */
  readonly config?: (canary: string, remote: string) => readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Arguments of plain git in the workspace that fall for it. */
  readonly fallsFor: (remote: string) => readonly string[];
}

const FALLS = ["-c", "protocol.ext.allow=always"];

const TRICKS: readonly Trick[] = [
  {
    name: "filter-process",
    config: (canary) => ['[filter "proc"]', `process = ${canary}`],
    files: { ".gitattributes": "*.proc filter=proc\n*.bin filter=lfs\n", "a.proc": "x" },
    fallsFor: () => ["add", "a.proc"],
  },
  {
    name: "large-files",
    config: (canary) => ['[filter "lfs"]', `process = ${canary}`, `clean = ${canary}`],
    files: { ".lfsconfig": "[lfs]\n\turl = https://127.0.0.1:1/lfs\n", "new.bin": "x" },
    fallsFor: () => ["add", "new.bin"],
  },
  {
    name: "instead-of",
    config: (canary, remote) => [`[url "ext::${canary} "]`, `insteadOf = ${remote}`],
    fallsFor: (remote) => [...FALLS, "ls-remote", remote],
  },
  {
    name: "push-instead-of",
    config: (canary, remote) => [`[url "ext::${canary} #"]`, `pushInsteadOf = ${remote}`],
    fallsFor: (remote) => [...FALLS, "push", remote, "HEAD:refs/heads/x"],
  },
  {
    name: "ssh-command",
    config: (canary) => ["[core]", `sshCommand = ${canary}`],
    fallsFor: () => ["ls-remote", "ssh://git@127.0.0.1:1/x"],
  },
  {
    name: "alias",
    config: (canary) => ["[alias]", `harvest = !${canary}`],
    fallsFor: () => ["harvest"],
  },
  {
    name: "submodule",
    fallsFor: () => [...FALLS, "submodule", "update", "--init", "lib/ext"],
  },
  {
    name: "submodule-update",
    // By its path: the address of the remote is rewritten by then.
    config: (canary, remote) => [
      '[submodule "told"]',
      `url = ${remote.replace("file://", "")}`,
      "active = true",
      `update = !${canary}`,
    ],
    fallsFor: () => ["-c", "protocol.file.allow=always", "submodule", "update", "lib/told"],
  },
];

/** Names that are options, or pathspecs, to who takes them for that. */
const NAMES = ["--output=option-canary", "--upload-pack=touch x", "-c", ":(glob)**", ":!*"];

async function hostile() {
  const traces = temporaryFolder();
  const canary = (name: string) => {
    const program = join(traces, `${name}.sh`);
    writeFileSync(program, `#!/bin/sh\n: > '${join(traces, name)}'\nexit 1\n`);
    chmodSync(program, 0o755);
    return program;
  };
  const remote = remoteRepository();
  addSubmodules(remote, canary("submodule"));
  const { git, stateDir } = machine();
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  const config = TRICKS.flatMap(
    (trick) => trick.config?.(canary(trick.name), remote.gitRemote) ?? [],
  );
  writeFileSync(join(workspace, ".git/config"), `${config.join("\n")}\n`, { flag: "a" });
  for (const { files = {} } of TRICKS) {
    writeFiles(workspace, files);
  }
  // Or git would not look for filters at all.
  rmSync(join(workspace, ".git/info/attributes"), { force: true });
  const sprung = () => readdirSync(traces).filter((name) => !name.endsWith(".sh"));
  return { remote, git, run, workspace, stateDir, sprung };
}

/** Two submodules in the base commit: the URL of one is a program, of the other `update` will be. */
function addSubmodules(remote: RemoteRepository, program: string): void {
  remote.commit("main", {
    ".gitmodules": `[submodule "ext"]\n\tpath = lib/ext\n\turl = ext::${program}\n[submodule "told"]\n\tpath = lib/told\n\turl = ${remote.gitRemote}\n`,
  });
  const link = remote.sha("main");
  remote.git("read-tree", "main");
  for (const path of ["lib/ext", "lib/told"]) {
    remote.git("update-index", "--add", "--cacheinfo", `160000,${link},${path}`);
  }
  const tree = remote.git("write-tree");
  const commit = remote.git("commit-tree", tree, "-p", link, "-m", "Submodules");
  remote.git("update-ref", "refs/heads/main", commit);
}

test("from workspace to remote and back no trick works that plain git falls for", async () => {
  const { workspace, remote, git, run, stateDir, sprung } = await hostile();
  expect(readdirSync(join(workspace, "lib/ext"))).toEqual([]);
  writeFiles(workspace, Object.fromEntries(NAMES.map((name) => [name, name])));
  const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
  await git.diff(after, soon());
  await git.push(after, null, soon());
  const next = await git.createAttempt(after, { phase: "plan", attempt: 1 }, soon());

  expect(sprung()).toEqual([]);
  const changed = plainGit(remote.path, "diff", "-z", "--name-only", "main", run.branch, "--");
  expect(changed.split("\0").filter(Boolean).sort()).toEqual(
    [...NAMES, ".gitattributes", ".lfsconfig", "a.proc", "new.bin"].sort(),
  );
  for (const name of NAMES) {
    expect(readFileSync(join(next.workspace, name), "utf8")).toBe(name);
  }
  const everywhere = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  expect(everywhere.filter((path) => /(^|\/)(option-canary|x)$/.test(path))).toEqual([]);

  const plain = (program: string, args: readonly string[]) =>
    spawnSync(program, args, { cwd: workspace, env: PLAIN_ENVIRONMENT, timeout: 20_000 });
  for (const { name, fallsFor } of TRICKS) {
    expect(sprung()).not.toContain(name);
    plain("git", fallsFor(remote.gitRemote));
    expect(sprung()).toContain(name);
  }
  plain("sh", ["-c", "git log *"]);
  expect(existsSync(join(workspace, "option-canary"))).toBe(true);
});
