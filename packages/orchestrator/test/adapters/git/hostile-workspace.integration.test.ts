import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLAIN_ENVIRONMENT, plainGit } from "./fixtures/plain-git.ts";
import { remoteRepository, writeFiles } from "./fixtures/remote-repository.ts";
import {
  ABOUT,
  committed,
  FEATURE,
  machine,
  preparedRun,
  rejection,
  SPECIFY,
  soon,
} from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

/**
 * A workspace whose every program git could be made to run leaves its name in a folder. Plain git in
 * it does run them; the adapter must not.
 */
function plant(workspace: string, traces: string): void {
  const canary = (name: string) => ({
    executable: `#!/bin/sh\necho "$0" >> '${join(traces, name)}'\ncat >/dev/null 2>&1 </dev/null\nexit 0\n`,
  });
  const program = (name: string) => join(workspace, ".git/canaries", name);
  const config = [
    "[core]",
    "\trepositoryformatversion = 0",
    "\tbare = false",
    `\tfsmonitor = ${program("fsmonitor")}`,
    `\tsshCommand = ${program("ssh")}`,
    `\thooksPath = ${join(workspace, ".git/hooks")}`,
    `\teditor = ${program("editor")}`,
    `\tpager = ${program("pager")}`,
    `\taskPass = ${program("askpass")}`,
    '[filter "evil"]',
    `\tclean = ${program("clean")}`,
    `\tsmudge = ${program("smudge")}`,
    "\trequired = true",
    '[diff "evil"]',
    `\tcommand = ${program("diff")}`,
    `\ttextconv = ${program("textconv")}`,
    "[credential]",
    `\thelper = ${program("credential")}`,
    "[uploadpack]",
    `\tpackObjectsHook = ${program("upload")}`,
    "",
  ].join("\n");
  rmSync(join(workspace, ".git/config"));
  rmSync(join(workspace, ".git/info"), { recursive: true, force: true });
  writeFiles(workspace, { ".git/config": config, ".gitattributes": "* filter=evil diff=evil\n" });
  for (const name of [
    "fsmonitor",
    "ssh",
    "editor",
    "pager",
    "askpass",
    "clean",
    "smudge",
    "diff",
    "textconv",
    "credential",
    "upload",
  ]) {
    writeFiles(workspace, { [`.git/canaries/${name}`]: canary(name) });
  }
  for (const hook of [
    "post-checkout",
    "pre-commit",
    "post-commit",
    "post-index-change",
    "reference-transaction",
    "pre-push",
  ]) {
    writeFiles(workspace, { [`.git/hooks/${hook}`]: canary(hook) });
  }
}

async function hostileAttempt() {
  const remote = remoteRepository();
  const { git, stateDir } = machine();
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  const traces = temporaryFolder();
  plant(workspace, traces);
  // Not the times the index has: git must look at the content, and so run its filter.
  utimesSync(join(workspace, "README.md"), 1, 1);
  writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
  return { remote, git, run, workspace, traces, stateDir };
}

test("plain git in such a workspace does run what was planted", async () => {
  const { workspace, traces } = await hostileAttempt();
  plainGit(workspace, "status", "--porcelain");
  plainGit(workspace, "add", "-A");
  expect(existsSync(join(traces, "fsmonitor"))).toBe(true);
  expect(existsSync(join(traces, "clean"))).toBe(true);
  expect(existsSync(join(traces, "post-index-change"))).toBe(true);
});

test("harvest, commit, diff and push run nothing of the workspace's", async () => {
  const { remote, git, run, traces } = await hostileAttempt();
  const harvest = await git.harvest(run, SPECIFY, soon());
  expect(harvest.changed.map(({ path }) => path)).toEqual([".gitattributes", `${FEATURE}/spec.md`]);
  const after = await committed(run, harvest);
  await git.diff(after, soon());
  await git.push(after, null, soon());
  expect(remote.git("show", `${run.branch}:${FEATURE}/spec.md`)).toBe("# Spec");
  const plan = { phase: "plan", attempt: 1 };
  const next = await git.createAttempt(after, plan, soon());
  expect(readFileSync(join(next.workspace, ".gitattributes"), "utf8")).toContain("filter=evil");
  for (const name of ["fsmonitor", "clean", "smudge", "diff", "textconv", "post-index-change"]) {
    expect(existsSync(join(traces, name)), name).toBe(false);
  }
});

test("a .git that was removed, or is a file, a link or a pipe, changes nothing", async () => {
  const { git, run, workspace } = await hostileAttempt();
  const elsewhere = join(temporaryFolder(), "elsewhere");
  plainGit("/", "init", "-q", elsewhere);
  rmSync(join(workspace, ".git"), { recursive: true });
  const harvested = async () => (await git.harvest(run, SPECIFY, soon())).changed.length;
  expect(await harvested()).toBe(2);
  writeFiles(workspace, { ".git": `gitdir: ${elsewhere}/.git\n` });
  expect(await harvested()).toBe(2);
  rmSync(join(workspace, ".git"));
  writeFiles(workspace, { ".git": { link: `${elsewhere}/.git` } });
  expect(await harvested()).toBe(2);
});

test("nested repositories with programs of their own are refused, not entered", async () => {
  const { git, run, workspace, traces } = await hostileAttempt();
  const nested = join(workspace, "lib");
  plainGit(workspace, "init", "-q", nested);
  mkdirSync(join(nested, ".git/canaries"), { recursive: true });
  plant(nested, traces);
  const error = await rejection(git.harvest(run, SPECIFY, soon()));
  expect(error.code).toBe("WORKSPACE_REFUSED");
  expect(existsSync(join(traces, "fsmonitor"))).toBe(false);
});

test("a workspace that is gone, a file or a link is refused: another try of the machine would not help", async () => {
  const { git, run, workspace } = await hostileAttempt();
  const elsewhere = temporaryFolder();
  for (const replacement of [undefined, "x", { link: elsewhere }]) {
    rmSync(workspace, { recursive: true, force: true });
    writeFiles("/", replacement === undefined ? {} : { [workspace]: replacement });
    const error = await rejection(git.harvest(run, SPECIFY, soon()));
    expect(error).toMatchObject({
      failure: { code: "WORKSPACE_REFUSED", findings: [{ path: "." }] },
    });
  }
});

test("a .gitignore that is a pipe or a link holds nothing up", async () => {
  const { git, run, workspace } = await hostileAttempt();
  const secret = join(temporaryFolder(), "patterns");
  writeFiles("/", { [secret]: "*\n" });
  writeFiles(workspace, {
    "src/new.ts": "x",
    "docs/a.md": "x",
    "docs/.gitignore": { link: secret },
  });
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [join(workspace, "src/.gitignore")], { env: PLAIN_ENVIRONMENT });
  const error = await rejection(git.harvest(run, SPECIFY, soon(20_000)));
  expect(error.code).toBe("WORKSPACE_REFUSED");
  rmSync(join(workspace, "src/.gitignore"));
  rmSync(join(workspace, "docs/.gitignore"));
  expect((await git.harvest(run, SPECIFY, soon())).changed.map(({ path }) => path)).toContain(
    "docs/a.md",
  );
});

test("a commit message with options and control words is only a message", async () => {
  const { git, run, remote } = await hostileAttempt();
  const harvest = await git.harvest(run, SPECIFY, soon());
  const message = "--amend\n\n-F/etc/passwd\n$(touch x) `id`\n# not a comment\n";
  const { tipSha } = await harvest.commit({ ...ABOUT, message });
  await git.push({ ...run, tipSha }, null, soon());
  expect(`${remote.git("log", "-1", "--format=%B", run.branch)}\n`).toBe(message);
});
