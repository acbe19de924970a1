import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GitRun, GitWorkspace } from "../../../src/ports/git-workspace.ts";
import { plainGit } from "../git/fixtures/plain-git.ts";
import { type RemoteRepository, remoteRepository } from "../git/fixtures/remote-repository.ts";
import { FEATURE, machine, preparedRun, SPECIFY, soon } from "../git/fixtures/run-fixture.ts";
import { type DockerBench, openDockerBench, runInDocker } from "./docker-bench.ts";

let bench: DockerBench;
beforeAll(async () => {
  bench = await openDockerBench();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** What could become something else on its way, or be left out. */
const FILES = {
  "README.md": "# Project\n",
  ".specify/init.json": "{}\n",
  "empty.txt": "",
  "bin/run.sh": { executable: "#!/bin/sh\n" },
  "link.txt": { link: "README.md" },
  "dangling.txt": { link: "nowhere/at/all" },
  "long-link.txt": { link: `x/${"y".repeat(180)}` },
  [`${"a-long-name/".repeat(12)}file.txt`]: "deep\n",
  "name with spaces, ümlaut.txt": "ü\n",
  "large.bin": new Uint8Array(1_000_001).fill(7),
  "blocks.bin": new Uint8Array(1_024).fill(8),
  "left-out.txt": "here all the same\n",
  "told.txt": "$Format:%H$ $Id$\n",
  "lines.txt": "one\ntwo\n",
};
const ATTRIBUTES = `left-out.txt export-ignore
told.txt export-subst ident
lines.txt text eol=crlf
`;
const LAID_OVER = [
  { path: "README.md", content: "# Laid over\n" },
  { path: ".specify/feature.json", content: "{}\n" },
  { path: "no/such/folder.json", content: "nowhere\n" },
];
/** Everything there is, `.git` left out: owner, mode, kind, target, and each file's bytes. */
const LIST = `find . -path ./.git -prune -o -printf '%p %u %g %m %y %l\\n' | LC_ALL=C sort
find . -path ./.git -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
git log --format=%H; git branch --show-current; git remote; git ls-files -s -t; git status --porcelain`;

/** What an agent sees, in a workspace made as a folder and in a packed one. */
async function seenByAgent(git: GitWorkspace, run: GitRun, mayPack: boolean, script = LIST) {
  const attempt = { ...SPECIFY, attempt: mayPack ? 2 : 1, laidOver: LAID_OVER, mayPack };
  const made = await git.createAttempt(run, attempt, soon());
  const spec = await bench.shell(script, { ...made, runId: run.runId, attempt: attempt.attempt });
  const wasFolder = existsSync(made.workspace);
  const { exit, stdout, stderr } = await runInDocker(bench.runtime(), spec);
  await bench.runtime().engine.remove(spec);
  expect(exit, stderr.toString()).toMatchObject({ exitCode: 0 });
  const harvest = await git.harvest(run, attempt, soon());
  return { made, wasFolder, seen: stdout.toString(), harvest };
}

function remoteWithAttributes(): RemoteRepository {
  const remote = remoteRepository({ files: FILES });
  remote.commit("main", { ".gitattributes": ATTRIBUTES });
  return remote;
}

test("a packed workspace is in its container what a checked out one is, byte for byte", async () => {
  const { git } = machine();
  const run = await preparedRun(git, remoteWithAttributes());
  const folder = await seenByAgent(git, run, false);
  const packed = await seenByAgent(git, run, true);
  expect(folder.made.packed).toBeUndefined();
  expect(folder.wasFolder).toBe(true);
  expect(packed.wasFolder).toBe(false);
  expect(packed.seen.split("\n")).toEqual(folder.seen.split("\n"));
  expect(packed.seen).toContain("./left-out.txt agent agent 644 f");
  expect(packed.harvest.changed).toEqual([]);
  expect(readFileSync(join(packed.made.workspace, "README.md"), "utf8")).toBe("# Laid over\n");
}, 240_000);

test("what an agent changes in a packed workspace is taken, and nothing else", async () => {
  const { git } = machine();
  const run = await preparedRun(git, remoteWithAttributes());
  const script = `rm empty.txt; echo three >> lines.txt; mkdir -p ${FEATURE}; echo spec > ${FEATURE}/spec.md`;
  const { harvest } = await seenByAgent(git, run, true, script);
  expect(harvest.changed).toEqual([
    { path: "empty.txt", kind: "removed" },
    { path: "lines.txt", kind: "changed" },
    { path: `${FEATURE}/spec.md`, kind: "added" },
  ]);
}, 240_000);

test("a submodule is an empty folder in a packed workspace", async () => {
  const remote = remoteRepository({ files: { "README.md": "# Project\n" } });
  const sha = remote.sha("main");
  const work = join(remote.path, "..", "work");
  plainGit(work, "update-index", "--add", "--cacheinfo", `160000,${sha},vendor/library`);
  plainGit(work, "commit", "-q", "-m", "Add a submodule");
  plainGit(work, "push", "-q", "origin", "HEAD:refs/heads/main");
  const { git } = machine();
  const run = await preparedRun(git, remote);
  const { seen, harvest } = await seenByAgent(git, run, true);
  expect(seen).toContain("./vendor/library agent agent 755 d");
  expect(harvest.changed).toEqual([]);
}, 240_000);

test("until something is brought back there is no workspace to take", async () => {
  const { git } = machine();
  const run = await preparedRun(git, remoteWithAttributes());
  const attempt = { ...SPECIFY, mayPack: true };
  const { packed } = await git.createAttempt(run, attempt, soon());
  await expect(git.harvest(run, attempt, soon())).rejects.toMatchObject({
    code: "WORKSPACE_REFUSED",
  });
  await git.removeAttempt(run.runId, attempt);
  expect(existsSync(packed?.folder ?? "")).toBe(false);
}, 120_000);
