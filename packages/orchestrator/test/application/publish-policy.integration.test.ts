import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { secretlintScanner } from "../../src/adapters/secretlint/index.ts";
import { publishRules } from "../../src/node/publish-rules.ts";
import { namesOf, phaseOf, requestFor, untilClosed, workshop } from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 4, hostname: "here" };
const SCRIPTED = new URL("../../agents/scripted.mjs", import.meta.url).pathname;
const NODE = process.execPath;

const letters = (length: number, of: string) =>
  Array.from({ length }, (_, ix) => of[(ix * 11 + 5) % of.length]).join("");
const AWS = `AKIA${letters(16, "QWERTYUIOPASDFGHJKLZXCVBNM234567")}`;
const GITHUB = `ghp_${letters(36, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")}`;

/** A run whose agent does a phase's work and some more: a line of shell in the repository's root. */
async function runWith(
  name: string,
  more: Readonly<Record<string, string>>,
  {
    request = {},
    publish,
  }: { readonly request?: object; readonly publish?: Parameters<typeof publishRules>[0] } = {},
) {
  const remote = await here.remote();
  const script = join(here.folder, `${name}.sh`);
  const cases = Object.entries(more).map(([phase, line]) => `${phase}) ${line} ;;`);
  await writeFile(
    script,
    `set -e\n"${NODE}" "${SCRIPTED}"\nD="$SPECIFY_FEATURE_DIRECTORY"\ncase "$SPECKIT_PHASE" in\n${cases.join("\n")}\nesac\n`,
  );
  await using open = here.open(name, {
    agentCommand: ["sh", script],
    secrets: secretlintScanner(),
    // A run here is short, and nobody takes it over.
    settings: { leaseMs: 60_000 },
    ...(publish === undefined ? {} : { publish: publishRules(publish) }),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const agent = { backend: "command" };
  const asked = requestFor(remote.path, { agent, ...request });
  const { run } = await open.orchestrator.submit(asked);
  const result = await untilClosed(open.orchestrator, run.runId);
  const artifact = (file: string) =>
    readFile(join(open.stateDir, "artifacts", run.runId, file), "utf8");
  const branches = await execa("git", ["-C", remote.path, "branch", "--format=%(refname:short)"]);
  return {
    result,
    artifact,
    stateDir: open.stateDir,
    branches: branches.stdout.split("\n"),
    findings: (result.failure?.findings ?? []).map(({ check, path }) => `${check} ${path}`),
  };
}

/** Objects of the state folder's caches: what a run has made must not be among them. */
async function expectNotCached(stateDir: string, contents: readonly string[]): Promise<void> {
  const caches = (await readdir(join(stateDir, "cache"))).filter((name) => name.endsWith(".git"));
  expect(caches).toHaveLength(1);
  const gitDir = join(stateDir, "cache", caches[0] ?? "");
  for (const input of contents) {
    const { stdout: oid } = await execa("git", ["hash-object", "--stdin"], { input });
    const found = await execa("git", ["--git-dir", gitDir, "cat-file", "-e", oid], {
      reject: false,
    });
    expect(found.exitCode, oid).not.toBe(0);
  }
  // What is there is found: the check is not blind.
  await execa("git", ["--git-dir", gitDir, "cat-file", "-e", await baseOf(gitDir)]);
}

async function baseOf(gitDir: string): Promise<string> {
  const { stdout } = await execa("git", [
    "--git-dir",
    gitDir,
    "rev-list",
    "--all",
    "--max-count=1",
  ]);
  return stdout;
}

const SPECIFY_ONLY = { phases: ["specify"] };

test.for([
  {
    name: "workflow and a path outside",
    more: "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/ci.yml; echo outside > outside.txt",
    code: "POSTCONDITION_FAILED",
    found: [
      "specify.nothing-outside .github/workflows/ci.yml",
      "specify.nothing-outside outside.txt",
    ],
    contents: ["on: push\n", "outside\n"],
  },
  {
    name: "symlink out of the tree",
    more: 'ln -s /etc/passwd "$D/link"',
    code: "WORKSPACE_REFUSED",
    found: ["workspace.symlink specs/001-add-oauth-login/link"],
    contents: ["/etc/passwd"],
  },
])("a run with a $name fails before it is published, and names it", async (planted) => {
  const { name, more, code, found, contents } = planted;
  const { result, branches, findings, stateDir } = await runWith(
    name.replaceAll(" ", "-"),
    { specify: more },
    { request: SPECIFY_ONLY },
  );
  expect(result).toMatchObject({ status: "failed", pushed: false, failure: { code } });
  expect(findings).toEqual(expect.arrayContaining(found));
  expect(branches).toEqual(["main"]);
  await expectNotCached(stateDir, contents);
});

test("a large file and secrets, also one that a later phase takes back, are refused by name; the work is kept", async () => {
  const big = 10 * 1024 * 1024;
  const { result, branches, findings, artifact, stateDir } = await runWith("planted", {
    specify: `printf '%s\\n' 'key ${AWS}' > "$D/notes.md"; head -c ${big} /dev/zero > "$D/big.bin"`,
    plan: `rm "$D/notes.md"; printf 'a\\nb\\n%s\\n' '${GITHUB}' >> "$D/contracts.txt"`,
  });
  const directory = "specs/001-add-oauth-login";
  expect(result).toMatchObject({
    status: "failed",
    pushed: false,
    failure: { code: "PUBLISH_REFUSED", class: "permanent" },
  });
  expect(findings).toEqual([
    `publish.file-size ${directory}/big.bin`,
    `publish.secret ${directory}/notes.md`,
    `publish.secret ${directory}/contracts.txt`,
  ]);
  const found = result.failure?.findings?.map((one) => one.found).join("\n");
  expect(found).toMatch(/line 1 .*aws\/AWSAccessKeyID/);
  expect(found).toMatch(/line 3 .*github\/GITHUB_TOKEN/);
  expect(JSON.stringify(result)).not.toContain(AWS);
  expect(JSON.stringify(result)).not.toContain(GITHUB);
  expect(phaseOf(result, "publish")).toMatchObject({ status: "failed", attempt: 1 });
  expect(namesOf(result)).toEqual(expect.arrayContaining(["run.patch", "checkpoint.bundle"]));
  expect(await artifact("run.patch")).toContain(`+${GITHUB}`);
  expect(branches).toEqual(["main"]);
  await expectNotCached(stateDir, [`key ${AWS}\n`, `a\nb\n${GITHUB}\n`, "\0".repeat(big)]);
});

test("a dry run is refused as well, and a deployment's own limits hold", async () => {
  const { result, findings } = await runWith(
    "dry",
    {},
    { request: { ...SPECIFY_ONLY, dryRun: true }, publish: { maxFiles: 1 } },
  );
  expect(result).toMatchObject({ status: "failed", failure: { code: "PUBLISH_REFUSED" } });
  expect(findings).toEqual(["publish.file-count ."]);
});

test("a run with nothing to refuse is pushed, links within its tree too", async () => {
  const { result, branches } = await runWith(
    "clean",
    { specify: 'ln -s spec.md "$D/link.md"; echo "$D" > "$D/.hidden"' },
    { request: SPECIFY_ONLY },
  );
  expect(result).toMatchObject({ status: "succeeded", pushed: true });
  expect(branches).toContain(result.branch);
});
