import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SpeckitError } from "../../../src/domain/speckit-error.ts";
import { plainGit } from "./fixtures/plain-git.ts";
import {
  type Files,
  remoteRepository,
  SPEC_KIT_FILES,
  writeFiles,
} from "./fixtures/remote-repository.ts";
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

async function attempt(options: { files?: Files; machine?: Parameters<typeof machine>[0] } = {}) {
  const remote = remoteRepository({ files: { ...SPEC_KIT_FILES, ...options.files } });
  const { git } = machine(options.machine);
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  const harvest = () => git.harvest(run, SPECIFY, soon());
  return {
    remote,
    git,
    run,
    workspace,
    harvest,
    paths: async () => (await harvest()).changed.map(({ path }) => path),
    findings: async () => {
      const error = await rejection(harvest());
      expect(error.code).toBe("WORKSPACE_REFUSED");
      return ((error as SpeckitError).failure.findings ?? []).map(
        ({ path, found }) => `${path}: ${found}`,
      );
    },
  };
}

describe("what counts as a change", () => {
  test("content of the same length and time is a change, and so is the executable bit", async () => {
    const { workspace, harvest } = await attempt();
    writeFileSync(join(workspace, "src/app.ts"), "export const answer = 43;\n");
    execFileSync("touch", ["-d", "@1700000000", join(workspace, "src/app.ts")]);
    chmodSync(join(workspace, "bin/run.sh"), 0o644);
    expect((await harvest()).changed).toEqual([
      { path: "bin/run.sh", kind: "changed" },
      { path: "src/app.ts", kind: "changed" },
    ]);
  });

  test("a file in the place of a folder, a folder in the place of a file, and a symlink", async () => {
    const { workspace, harvest, run, git, remote } = await attempt();
    rmSync(join(workspace, "src"), { recursive: true });
    writeFileSync(join(workspace, "src"), "a file now\n");
    rmSync(join(workspace, "README.md"));
    writeFiles(workspace, {
      "README.md/inner.md": "x\n",
      "link.md": { link: "README.md/inner.md" },
    });
    const taken = await harvest();
    expect(taken.changed.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "removed README.md",
      "added README.md/inner.md",
      "added link.md",
      "added src",
      "removed src/app.ts",
    ]);
    const after = await committed(run, taken);
    await git.push(after, null, soon());
    expect(remote.git("ls-tree", "-r", run.branch, "--", "link.md", "src", "README.md")).toMatch(
      /100644 blob \w+\tREADME.md\/inner.md\n120000 blob \w+\tlink.md\n100644 blob \w+\tsrc/,
    );
  });

  test("names with spaces, quotes, backslashes and every script arrive as they are", async () => {
    const names = [
      'a "b".md',
      "back\\slash.md",
      "-rf",
      "日本.md",
      ":(top)x.md",
      "tail ",
      "*?[a].md",
    ];
    const { workspace, harvest, run, git, remote } = await attempt();
    for (const name of names) {
      writeFiles(workspace, { [`${FEATURE}/${name}`]: name, [`docs/${name}`]: name });
    }
    const after = await committed(run, await harvest());
    await git.push(after, null, soon());
    const listed = remote.git("ls-tree", "-r", "-z", "--name-only", run.branch, "--", "docs/");
    expect(listed.split("\0").filter(Boolean).sort()).toEqual(
      names.map((name) => `docs/${name}`).sort(),
    );
  });

  test("a submodule stays as it is, whatever lies in its folder", async () => {
    const remote = remoteRepository();
    const link = remote.sha("main");
    const tree = plainGit(remote.path, "rev-parse", "main^{tree}");
    remote.git("read-tree", tree);
    remote.git("update-index", "--add", "--cacheinfo", `160000,${link},vendor/lib`);
    const commit = remote.git(
      "commit-tree",
      remote.git("write-tree"),
      "-p",
      link,
      "-m",
      "Submodule",
    );
    remote.git("update-ref", "refs/heads/main", commit);
    const { git } = machine();
    const run = await preparedRun(git, remote);
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, {
      "vendor/lib/file.txt": "x",
      "vendor/lib/.git/config": "x",
      "new.md": "x",
    });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await git.push(after, null, soon());
    expect(remote.git("diff", "--name-only", "main", run.branch, "--")).toBe("new.md");
    expect(remote.git("ls-tree", run.branch, "--", "vendor/lib")).toBe(
      `160000 commit ${link}\tvendor/lib`,
    );
  });
});

describe("what is left out", () => {
  test("untracked files git ignores, by the rules git has for them", async () => {
    const { workspace, paths } = await attempt({
      files: { "kept.log": "tracked though ignored\n" },
    });
    writeFiles(workspace, {
      "node_modules/lib/index.js": "x",
      "node_modules/lib/link": { link: "/usr/bin/env" },
      "node_modules/nested/.git/HEAD": "x",
      "debug.log": "x",
      "kept.log": "changed\n",
      "src/.gitignore": "*.tmp\n!keep.tmp\n/out/\n",
      "src/a.tmp": "x",
      "src/keep.tmp": "x",
      "src/out/a.js": "x",
      "src/deep/out/a.js": "x",
      "new/.gitignore": "secret\n",
      "new/secret": "x",
      "new/public": "x",
      "new/deps/.gitignore": "*\n",
      "new/deps/a": "x",
    });
    expect(await paths()).toEqual([
      "kept.log",
      "new/.gitignore",
      "new/public",
      "src/.gitignore",
      "src/deep/out/a.js",
      "src/keep.tmp",
    ]);
  });

  test("git's own answer is the same", async () => {
    const { workspace, paths } = await attempt();
    writeFiles(workspace, {
      ".gitignore":
        "node_modules/\n*.log\nbuild\n!build/keep\n/top\n**/cache/*\n!**/cache/keep\ndoc/*.txt\n\\#x\n",
      "build/keep": "x",
      "a/build": "x",
      "top/a": "x",
      "a/top/a": "x",
      "x/cache/a": "x",
      "x/cache/keep": "x",
      "cache/b": "x",
      "doc/a.txt": "x",
      "doc/sub/a.txt": "x",
      "#x": "x",
      "é.log": "x",
      "a/b/c/d.log": "x",
      "a/b/c/d.md": "x",
    });
    const status = plainGit(
      workspace,
      "-c",
      "core.quotePath=false",
      "status",
      "--porcelain",
      "-uall",
    );
    const own = status.split("\n").map((line) => line.slice(3).replace(/^"|"$/g, ""));
    expect(await paths()).toEqual(own.sort());
  });

  test("nothing of a feature's folder, the run's or another: a project may ignore specs/", async () => {
    const { workspace, harvest } = await attempt({ files: { ".gitignore": "specs/\n*.log\n" } });
    writeFiles(workspace, {
      [`${FEATURE}/spec.md`]: "# Spec\n",
      [`${FEATURE}/checklists/requirements.md`]: "- [x] a\n",
      "specs/003-other/spec.md": "somebody else's number",
      "specs/cache/spec.md": "left out",
    });
    const taken = await harvest();
    expect(taken.changed.map(({ path }) => path)).toEqual([
      `${FEATURE}/checklists/requirements.md`,
      `${FEATURE}/spec.md`,
      "specs/003-other/spec.md",
    ]);
    expect(taken.read("specs/cache/spec.md")).toBeUndefined();
  });

  test("all of that in the folder of a project, where it is not the root", async () => {
    const { git, run, workspace } = await attempt({
      files: { ".gitignore": "specs/\n", "api/.specify/templates/plan-template.md": "# Plan\n" },
    });
    const json = '{"feature_directory":"specs/002-x"}\n';
    writeFiles(workspace, {
      "api/specs/002-x/spec.md": "# Spec\n",
      "api/specs/003-y/spec.md": "# Other\n",
      "api/.specify/feature.json": json,
      "specs/004-z/spec.md": "left out",
    });
    const about = { ...SPECIFY, featureDirectory: "api/specs/002-x", projectDirectory: "api" };
    const taken = await git.harvest(run, about, soon());
    expect(taken.changed.map(({ path }) => path)).toEqual([
      "api/specs/002-x/spec.md",
      "api/specs/003-y/spec.md",
    ]);
    expect(taken.read("api/.specify/feature.json")).toBe(json);
    expect(taken.read("api/.specify/templates/plan-template.md")).toBe("# Plan\n");
  });

  test("feature.json is read, but not committed, even where nothing ignores it", async () => {
    const { workspace, harvest } = await attempt({ files: { ".specify/.gitignore": "\n" } });
    const json = `{"feature_directory":"${FEATURE}"}\n`;
    writeFiles(workspace, { ".specify/feature.json": json });
    const taken = await harvest();
    expect(taken.read(".specify/feature.json")).toBe(json);
    expect(taken.changed).toEqual([]);
  });
});

describe("what can be read of a harvest", () => {
  test("texts of the feature directory and the templates, as harvested; nothing else", async () => {
    const { workspace, harvest } = await attempt();
    writeFiles(workspace, {
      [`${FEATURE}/spec.md`]: "# Spec\n",
      [`${FEATURE}/big.md`]: "x".repeat(1024 * 1024 + 1),
      [`${FEATURE}/link.md`]: { link: "spec.md" },
      [`${FEATURE}/empty.md`]: "",
    });
    const taken = await harvest();
    writeFileSync(join(workspace, FEATURE, "spec.md"), "changed after the harvest");
    expect(taken.read(`${FEATURE}/spec.md`)).toBe("# Spec\n");
    expect(taken.read(`${FEATURE}/empty.md`)).toBe("");
    expect(taken.read(".specify/templates/spec-template.md")).toContain("[FEATURE NAME]");
    expect(taken.read(`${FEATURE}/big.md`)).toBeUndefined();
    expect(taken.read(`${FEATURE}/link.md`)).toBeUndefined();
    expect(taken.read("README.md")).toBeUndefined();
  });

  test("feature.json through a symlink is not read", async () => {
    const { workspace, harvest } = await attempt();
    const outside = join(workspace, "..", "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "feature.json"), "outside");
    symlinkSync(join(outside, "feature.json"), join(workspace, ".specify/feature.json"));
    expect((await harvest()).read(".specify/feature.json")).toBeUndefined();
  });

  test("what is committed is what was harvested, not what the workspace became", async () => {
    const { workspace, harvest, run, git, remote } = await attempt();
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "harvested\n" });
    const taken = await harvest();
    writeFileSync(join(workspace, FEATURE, "spec.md"), "later\n");
    const after = await committed(run, taken);
    await git.push(after, null, soon());
    expect(remote.git("show", `${run.branch}:${FEATURE}/spec.md`)).toBe("harvested");
  });
});

describe("what is refused, with a finding per path", () => {
  test("pipes, sockets' kin, links out of the tree, nested repositories and names that hide", async () => {
    const { workspace, findings } = await attempt();
    execFileSync("mkfifo", [join(workspace, "pipe")]);
    writeFiles(workspace, {
      absolute: { link: "/etc/passwd" },
      "src/out": { link: "../../outside" },
      "src/sneaky": { link: "deep/../../../outside" },
      hooks: { link: ".git/hooks" },
      "lib/.git/config": "[core]\n",
      "lib/.GIT": "x",
      "src/.gitattributes": { link: "../README.md" },
      "bell\u0007.md": "x",
      "new\nline.md": "x",
      "fine.md": { link: "./src/../README.md" },
      "src/fine.md": { link: "../README.md" },
    });
    writeFileSync(Buffer.from(`${workspace}/latin\xe9.md`, "latin1"), "x");
    expect((await findings()).sort()).toEqual([
      "absolute: an absolute target",
      "bell\\u0007.md: a control character",
      "fine.md: a target with '..' after a name",
      "hooks: a target inside .git",
      "latin\ufffd.md: bytes that are not UTF-8",
      "lib/.GIT: a git repository's own folder or file",
      "lib/.git: a git repository's own folder or file",
      "new\\u000aline.md: a control character",
      "pipe: a named pipe",
      "src/.gitattributes: a symlink",
      "src/out: a target outside the tree",
      "src/sneaky: a target with '..' after a name",
    ]);
  });

  test("not what the base has and nobody touched", async () => {
    const { workspace, paths, findings } = await attempt({
      files: { "etc-link": { link: "/etc" }, "odd\tname.md": "x", up: { link: "../up" } },
    });
    writeFiles(workspace, { "new.md": "x" });
    expect(await paths()).toEqual(["new.md"]);
    rmSync(join(workspace, "etc-link"));
    symlinkSync("/usr", join(workspace, "etc-link"));
    writeFileSync(join(workspace, "odd\tname.md"), "changed");
    expect(await findings()).toEqual([
      "etc-link: an absolute target",
      "odd\\u0009name.md: a control character",
    ]);
  });

  test("a folder that became a symlink is taken as a link, and nothing behind it is read", async () => {
    const { workspace, findings } = await attempt();
    const outside = join(workspace, "..", "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "spec.md"), "outside\n");
    rmSync(join(workspace, "specs"), { recursive: true });
    symlinkSync(outside, join(workspace, "specs"));
    expect(await findings()).toEqual(["specs: an absolute target"]);
    rmSync(join(workspace, "specs"));
    mkdirSync(join(workspace, "specs"));
    symlinkSync("../../outside", join(workspace, FEATURE));
    expect(await findings()).toEqual([`${FEATURE}: a target outside the tree`]);
  });
});

describe("limits", () => {
  test.each([
    [
      "bytes of the workspace, ignored files too",
      { workspaceMaxBytes: 100_000 },
      "more than 100000 bytes",
    ],
    ["files in the workspace", { workspaceMaxEntries: 50 }, "more than 50 files"],
    ["bytes the phase changed", { changedMaxBytes: 1_000 }, "expected at most 1000"],
    ["files the phase changed", { changedMaxFiles: 2 }, "added or changed 3 files"],
  ])("%s", async (_what, limits, says) => {
    const { workspace, harvest } = await attempt({ machine: { limits } });
    writeFiles(workspace, { "a.md": "x".repeat(2_000), "b.md": "x", "c.md": "x" });
    mkdirSync(join(workspace, "node_modules"));
    for (let ix = 0; ix < 60; ix++) {
      writeFileSync(join(workspace, "node_modules", `${ix}`), "");
    }
    truncateSync(join(workspace, "node_modules/0"), 200_000);
    const error = await rejection(harvest());
    expect(error.code).toBe("WORKSPACE_TOO_LARGE");
    expect(error.message).toContain(says);
  });

  test("a checkpoint over its limit is refused, one at it is not", async () => {
    const remote = remoteRepository();
    const checkpoint = async (checkpointMaxBytes: number) => {
      const { git } = machine({ limits: { checkpointMaxBytes } });
      const run = await preparedRun(git, remote);
      const { workspace } = await git.createAttempt(run, SPECIFY, soon());
      writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
      const { checkpoint } = await (await git.harvest(run, SPECIFY, soon())).commit(ABOUT);
      return checkpoint?.length ?? 0;
    };
    const bytes = await checkpoint(16_000_000);
    expect(bytes).toBeGreaterThan(100);
    expect(await checkpoint(bytes)).toBe(bytes);
    const error = await rejection(checkpoint(bytes - 1));
    expect(error.code).toBe("WORKSPACE_TOO_LARGE");
    expect(error.message).toContain(`checkpoint of more than ${bytes - 1} bytes`);
  });

  test("a base that could never be harvested is refused before it is checked out", async () => {
    const remote = remoteRepository({ files: { "big.bin": new Uint8Array(50_000) } });
    const { git } = machine({ limits: { workspaceMaxBytes: 40_000 } });
    const run = await preparedRun(git, remote);
    expect((await rejection(git.createAttempt(run, SPECIFY, soon()))).code).toBe(
      "WORKSPACE_TOO_LARGE",
    );
  });

  test("a patch over its limit is cut at a line and says so", async () => {
    const { workspace, harvest } = await attempt();
    writeFiles(workspace, { "long.txt": "0123456789abcde\n".repeat(400_000) });
    const { patch } = await (await harvest()).commit({ message: "x", dateSeconds: 1 });
    expect(patch.length).toBeLessThan(4 * 1024 * 1024 + 100);
    expect(patch.endsWith("+0123456789abcde\n[cut at 4194304 bytes]\n")).toBe(true);
  });
});
