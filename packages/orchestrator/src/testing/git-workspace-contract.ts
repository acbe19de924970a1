import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GitRun, GitWorkspace, Harvest } from "../ports/git-workspace.ts";

export interface GitWorkspaceUnderTest extends AsyncDisposable {
  readonly git: GitWorkspace;
  /** The same on another machine: nothing local is shared. */
  readonly elsewhere: GitWorkspace;
  /** A remote whose `main` has {@link SUITE_FILES}; of no other address is there one. */
  readonly gitRemote: string;
  readonly missingRemote: string;
  /** Head of a branch at the remote, null when there is none. */
  readonly headOf: (branch: string) => Promise<string | null>;
  /** Text of a file of a branch at the remote. */
  readonly textOf: (branch: string, path: string) => Promise<string | undefined>;
  /** A commit on top of `main` that somebody else puts on a branch. @returns its id */
  readonly moveBranch: (branch: string) => Promise<string>;
  /** What an agent does in a workspace of `git` or `elsewhere`; null removes a file. */
  readonly work: (
    workspace: string,
    files: Readonly<Record<string, string | null>>,
  ) => Promise<void>;
}

/** What the remote's `main` must hold. */
export const SUITE_FILES = {
  "README.md": "# Project\n",
  "src/app.ts": "export const answer = 42;\n",
  ".specify/templates/spec-template.md": "# Feature Specification: [FEATURE NAME]\n",
  "specs/001-first/spec.md": "# Feature Specification: First\n",
} as const;

const FEATURE = "specs/002-login";
const SPEC = `${FEATURE}/spec.md`;
const SPECIFY = { phase: "specify", attempt: 1, featureDirectory: FEATURE } as const;
const PLAN = { phase: "plan", attempt: 1, featureDirectory: FEATURE } as const;
const ABOUT = {
  message: `docs: specify\n\nSpeckit-Run: ${randomUUID()}\nSpeckit-Phase: specify\n`,
  dateSeconds: 1_750_000_000,
} as const;

/** What the application relies on of a git workspace, as Vitest tests. */
export function describeGitWorkspace(
  name: string,
  open: () => Promise<GitWorkspaceUnderTest>,
): void {
  describe(`GitWorkspace: ${name}`, () => {
    let under: GitWorkspaceUnderTest;
    let git: GitWorkspace;
    const branch = "speckit/login-0a1b2c3d";
    const live = new AbortController().signal;

    beforeEach(async () => {
      under = await open();
      git = under.git;
    });
    afterEach(() => under[Symbol.asyncDispose]());

    const ask = (more: { readonly gitRemote?: string; readonly baseBranch?: string } = {}) => ({
      runId: randomUUID(),
      gitRemote: under.gitRemote,
      baseBranch: undefined,
      branch,
      ...more,
    });

    async function prepared(on = git): Promise<GitRun> {
      const request = ask();
      const { baseSha } = await on.fetchBase(request, live);
      const { runId, gitRemote } = request;
      const loadCheckpoint = async () => undefined;
      return { runId, gitRemote, branch, baseSha, tipSha: baseSha, loadCheckpoint };
    }

    async function committed(run: GitRun, harvest: Harvest): Promise<GitRun> {
      const { tipSha, checkpoint } = await harvest.commit(ABOUT);
      return { ...run, tipSha, loadCheckpoint: async () => checkpoint };
    }

    /** One agent phase: a workspace, some work, its commit. */
    async function worked(
      run: GitRun,
      files: Readonly<Record<string, string | null>>,
      on = git,
      phase: typeof SPECIFY | typeof PLAN = SPECIFY,
    ): Promise<GitRun> {
      const { workspace } = await on.createAttempt(run, phase, live);
      await under.work(workspace, files);
      return committed(run, await on.harvest(run, phase, live));
    }

    test("the remote's facts: default branch, base commit, where the run's branch stands", async () => {
      expect(await git.fetchBase(ask(), live)).toEqual({
        baseBranch: "main",
        baseSha: await under.headOf("main"),
        branchOldSha: null,
      });
      const moved = await under.moveBranch(branch);
      expect(await git.fetchBase(ask({ baseBranch: branch }), live)).toEqual({
        baseBranch: branch,
        baseSha: moved,
        branchOldSha: moved,
      });
    });

    test("a branch that stands beside the base is somebody else's", async () => {
      await under.moveBranch(branch);
      await expect(git.fetchBase(ask(), live)).rejects.toMatchObject({ code: "BRANCH_DIVERGED" });
    });

    test("what is not there is named", async () => {
      await expect(git.fetchBase(ask({ baseBranch: "gone" }), live)).rejects.toMatchObject({
        code: "BASE_BRANCH_NOT_FOUND",
      });
      await expect(
        git.fetchBase(ask({ gitRemote: under.missingRemote }), live),
      ).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    });

    test("the base commit is read without a workspace", async () => {
      const files = await git.baseFiles(await prepared(), live);
      expect(await files.listPaths()).toEqual(Object.keys(SUITE_FILES).sort());
      expect(await files.read("README.md")).toBe("# Project\n");
      expect(await files.read("nothing.md")).toBeUndefined();
    });

    test("a run's own branch is its base where that is asked for and it is at the remote", async () => {
      const fromBranch = { ...ask(), startsFromBranch: true };
      expect(await git.fetchBase(fromBranch, live)).toMatchObject({ baseBranch: "main" });
      const moved = await under.moveBranch(branch);
      expect(await git.fetchBase({ ...fromBranch, runId: randomUUID() }, live)).toEqual({
        baseBranch: branch,
        baseSha: moved,
        branchOldSha: moved,
      });
    });

    test("a file laid over the tree is no change, unless the agent makes it one", async () => {
      const run = await prepared();
      const laidOver = [
        { path: "README.md", content: "# For the agent\n" },
        { path: "no/such/folder.md", content: "nowhere\n" },
      ];
      const attempt = { ...SPECIFY, laidOver };
      const first = await git.createAttempt(run, attempt, live);
      await under.work(first.workspace, { [SPEC]: "# Spec\n" });
      const harvest = await git.harvest(run, attempt, live);
      expect(harvest.changed).toEqual([{ path: SPEC, kind: "added" }]);
      const after = await committed(run, harvest);
      await git.push(after, null, live);
      expect(await under.textOf(branch, "README.md")).toBe("# Project\n");

      const again = { ...PLAN, laidOver };
      const second = await git.createAttempt(after, again, live);
      await under.work(second.workspace, { "README.md": "# Mine\n" });
      expect((await git.harvest(after, again, live)).changed).toEqual([
        { path: "README.md", kind: "changed" },
      ]);
    });

    test("an agent that stays where it began is on the run's branch at its tip", async () => {
      const run = await prepared();
      await git.createAttempt(run, SPECIFY, live);
      const { head } = await git.harvest(run, SPECIFY, live);
      expect(head).toEqual({ branch, sha: run.tipSha });
    });

    test("an agent's tree arrives at the remote as one commit on the base", async () => {
      const run = await prepared();
      const { workspace } = await git.createAttempt(run, SPECIFY, live);
      await under.work(workspace, {
        [SPEC]: "# Spec\n",
        "README.md": "# Changed\n",
        "src/app.ts": null,
      });
      const harvest = await git.harvest(run, SPECIFY, live);
      expect(harvest.featureDirectory).toBe(FEATURE);
      expect(harvest.changed).toEqual([
        { path: "README.md", kind: "changed" },
        { path: SPEC, kind: "added" },
        { path: "src/app.ts", kind: "removed" },
      ]);
      expect(harvest.read(SPEC)).toBe("# Spec\n");
      expect(harvest.read("src/app.ts")).toBeUndefined();
      const after = await committed(run, harvest);
      expect(await git.diff(after, live)).toMatchObject({
        stat: { files: 3, insertions: 2, deletions: 2 },
        patch: expect.stringContaining("+# Spec"),
      });
      await git.push(after, null, live);
      expect(await under.headOf(branch)).toBe(after.tipSha);
      expect(await under.textOf(branch, SPEC)).toBe("# Spec\n");
      expect(await under.headOf("main")).toBe(run.baseSha);
      await git.push(after, null, live);
      expect(await under.headOf(branch)).toBe(after.tipSha);
    });

    test("a tree with a secret is refused, whatever form it has there; without it it is taken", async () => {
      const run = await prepared();
      const secret = `suite-secret/+${randomUUID()}`;
      const attempt = { ...SPECIFY, secrets: [secret] };
      const { workspace } = await git.createAttempt(run, SPECIFY, live);
      for (const form of [secret, encodeURIComponent(secret), btoa(`key=${secret}`)]) {
        await under.work(workspace, { [SPEC]: `# Spec\n${form}\n` });
        const refused = git.harvest(run, attempt, live);
        await expect(refused).rejects.toMatchObject({ code: "SECRET_IN_TREE" });
        await expect(refused).rejects.toThrow(SPEC);
        await expect(refused).rejects.not.toThrow(form);
      }
      await under.work(workspace, { [SPEC]: "# Spec\n" });
      const { changed } = await git.harvest(run, attempt, live);
      expect(changed).toEqual([{ path: SPEC, kind: "added" }]);
    });

    test("what a push would bring is listed commit by commit, with what stands there and stood there", async () => {
      const run = await prepared();
      const first = await worked(run, { [SPEC]: "# Spec\n", "README.md": null });
      const next = await worked(first, { [SPEC]: "# Better\n" }, git, PLAN);
      const { commits, changes, read } = await git.changes(next, live);
      expect(commits).toEqual([
        { sha: first.tipSha, parents: [run.baseSha], phase: "specify" },
        { sha: next.tipSha, parents: [first.tipSha], phase: "specify" },
      ]);
      expect(changes).toMatchObject([
        { path: "README.md", kind: "removed", before: { bytes: 10 }, after: null },
        {
          path: SPEC,
          kind: "added",
          entry: "file",
          before: null,
          after: { bytes: 7 },
          target: null,
        },
        { path: SPEC, kind: "changed", before: { bytes: 7 }, after: { bytes: 9 } },
      ]);
      expect(changes.map(({ commit }) => commit)).toEqual([
        first.tipSha,
        first.tipSha,
        next.tipSha,
      ]);
      const wanted = changes.flatMap(({ after }) => (after === null ? [] : [after]));
      const contents = await read(wanted, live);
      const texts = wanted.map(({ id }) => Buffer.from(contents.get(id) ?? []).toString("utf8"));
      expect(texts).toEqual(["# Spec\n", "# Better\n"]);
      expect(await git.changes(run, live)).toMatchObject({ commits: [], changes: [] });
    });

    test("an agent that changes nothing leaves the tip and no checkpoint", async () => {
      const run = await prepared();
      await git.createAttempt(run, SPECIFY, live);
      const harvest = await git.harvest(run, SPECIFY, live);
      expect(harvest.changed).toEqual([]);
      expect(await harvest.commit(ABOUT)).toEqual({
        tipSha: run.baseSha,
        checkpoint: undefined,
        patch: "",
      });
    });

    test("the same tree, words and date make the same commit on every machine, again and again", async () => {
      const run = await prepared();
      const tips: string[] = [];
      for (const on of [git, git, under.elsewhere]) {
        tips.push((await worked(run, { [SPEC]: "# Spec\n" }, on)).tipSha);
      }
      expect(new Set(tips).size).toBe(1);
      expect((await worked(run, { [SPEC]: "# Other\n" })).tipSha).not.toBe(tips[0]);
    });

    test("a run goes on elsewhere from its checkpoint, and not without", async () => {
      const after = await worked(await prepared(), { [SPEC]: "# Spec\n" });
      const lost = { ...after, loadCheckpoint: async () => undefined };
      await expect(under.elsewhere.createAttempt(lost, PLAN, live)).rejects.toThrow();
      const { workspace } = await under.elsewhere.createAttempt(after, PLAN, live);
      await under.work(workspace, { [`${FEATURE}/plan.md`]: "# Plan\n" });
      const harvest = await under.elsewhere.harvest(after, PLAN, live);
      expect(harvest.changed).toEqual([{ path: `${FEATURE}/plan.md`, kind: "added" }]);
      expect(harvest.read(SPEC)).toBe("# Spec\n");
      const next = await committed(after, harvest);
      await git.push(next, null, live);
      expect(await under.headOf(branch)).toBe(next.tipSha);
      expect(await under.textOf(branch, SPEC)).toBe("# Spec\n");
    });

    test("a second workspace of an attempt has nothing of the first", async () => {
      const run = await prepared();
      const first = await git.createAttempt(run, SPECIFY, live);
      await under.work(first.workspace, { "left.txt": "x" });
      expect(await git.createAttempt(run, SPECIFY, live)).toEqual(first);
      expect((await git.harvest(run, SPECIFY, live)).changed).toEqual([]);
    });

    test("a branch that has moved, or is there already, is not overwritten", async () => {
      const after = await worked(await prepared(), { [SPEC]: "# Spec\n" });
      const moved = await under.moveBranch(branch);
      for (const expected of [null, moved]) {
        await expect(git.push(after, expected, live)).rejects.toMatchObject({
          code: "BRANCH_DIVERGED",
        });
      }
      expect(await under.headOf(branch)).toBe(moved);
    });

    test("removing takes what a run has here, and missing things are fine", async () => {
      const run = await prepared();
      await git.createAttempt(run, SPECIFY, live);
      expect(await git.runsHere()).toEqual([run.runId]);
      await git.removeAttempt(run.runId, SPECIFY);
      await git.removeAttempt(run.runId, SPECIFY);
      await git.removeRun(run.runId, run.gitRemote);
      await git.removeRun(run.runId, run.gitRemote);
      expect(await git.runsHere()).toEqual([]);
    });

    test("an aborted signal ends it, with its own reason", async () => {
      const run = await prepared();
      const signal = AbortSignal.abort(new Error("let go"));
      await expect(git.createAttempt(run, SPECIFY, signal)).rejects.toThrow("let go");
      await expect(git.push(run, null, signal)).rejects.toThrow("let go");
      expect(await under.headOf(branch)).toBeNull();
    });
  });
}
