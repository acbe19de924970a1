import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { plainGit } from "./fixtures/plain-git.ts";
import { type Files, remoteRepository, writeFiles } from "./fixtures/remote-repository.ts";
import { committed, FEATURE, machine, preparedRun, SPECIFY, soon } from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

/** Attributes that make plain git change files between repository and work tree. */
const ATTRIBUTES = [
  "* text=auto eol=crlf",
  "*.dat filter=lfs diff=lfs merge=lfs -text",
  "ident.txt ident",
  "wide.txt working-tree-encoding=UTF-16",
  "[attr]mine text eol=crlf",
  "macro.txt mine",
  "",
].join("\n");

const FILES: Files = {
  "lf.txt": "one\ntwo\n",
  "mixed.txt": "one\r\ntwo\n",
  "crlf.txt": "one\r\ntwo\r\n",
  "model.dat": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
  "ident.txt": "$Id$\n",
  "wide.txt": "plain\n",
  "macro.txt": "macro\n",
  "binary.bin": Uint8Array.from([0, 13, 10, 255, 10]),
};

/** The attributes come last: git would convert what is added under them. */
function remoteWithAttributes() {
  const remote = remoteRepository({ files: FILES });
  remote.commit("main", { ".gitattributes": ATTRIBUTES });
  return remote;
}

test("plain git does convert the files of this repository", () => {
  const clone = join(temporaryFolder(), "clone");
  plainGit("/", "clone", "-q", remoteWithAttributes().path, clone);
  expect(readFileSync(join(clone, "lf.txt"), "utf8")).toBe("one\r\ntwo\r\n");
  expect(readFileSync(join(clone, "ident.txt"), "utf8")).toMatch(/^\$Id: [0-9a-f]{40} \$/);
});

test("a workspace has the repository's bytes, and taking it back reports no change", async () => {
  const { git } = machine();
  const run = await preparedRun(git, remoteWithAttributes());
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  for (const [name, content] of Object.entries(FILES)) {
    expect(readFileSync(join(workspace, name)), name).toEqual(Buffer.from(content as string));
  }
  expect(plainGit(workspace, "status", "--porcelain")).toBe("");
  expect((await git.harvest(run, SPECIFY, soon())).changed).toEqual([]);
});

test("what is committed are the bytes the agent wrote, whatever its attributes say", async () => {
  const remote = remoteWithAttributes();
  const { git } = machine();
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  const spec = "# Spec\r\n$Id: not mine $\n";
  rmSync(join(workspace, "crlf.txt"));
  writeFiles(workspace, {
    ".gitattributes": "* filter=evil text=auto working-tree-encoding=UTF-16 export-ignore\n",
    [`${FEATURE}/spec.md`]: spec,
    "crlf.txt": "one\r\ntwo\r\nthree\r\n",
  });
  const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
  await git.push(after, null, soon());
  const show = (path: string) => remote.git("cat-file", "blob", `${run.branch}:${path}`);
  expect(`${show(`${FEATURE}/spec.md`)}\n`).toBe(spec);
  expect(`${show("crlf.txt")}\n`.replace(/\r?\n$/, "\r\n")).toBe("one\r\ntwo\r\nthree\r\n");
  expect(remote.git("diff", "--name-only", "main", run.branch, "--").split("\n")).toHaveLength(3);
});
