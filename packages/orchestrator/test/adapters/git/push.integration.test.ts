import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordedGit } from "./fixtures/recorded-git.ts";
import {
  type RemoteRepository,
  remoteRepository,
  writeFiles,
} from "./fixtures/remote-repository.ts";
import {
  BRANCH,
  committed,
  FEATURE,
  machine,
  preparedRun,
  rejection,
  SPECIFY,
  soon,
} from "./fixtures/run-fixture.ts";

async function readyToPush(prepare: (remote: RemoteRepository) => void = () => {}) {
  const remote = remoteRepository();
  prepare(remote);
  const recorder = recordedGit();
  const { git } = machine({ environment: recorder.environment });
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
  const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
  const pushes = () => recorder.calls().filter(({ args }) => args.startsWith("push "));
  return { remote, git, run: after, pushes };
}

test("a branch that stands at an ancestor is moved forward", async () => {
  const { remote, git, run } = await readyToPush((repository) => {
    repository.git("branch", BRANCH, "main");
    repository.commit("main", { "newer.md": "x" });
  });
  const old = remote.sha(BRANCH);
  expect(old).not.toBe(run.baseSha);
  await git.push(run, old, soon());
  expect(remote.sha(BRANCH)).toBe(run.tipSha);
});

test("a push whose answer was lost is done when it is tried again", async () => {
  const { remote, git, run, pushes } = await readyToPush();
  await git.push(run, null, soon());
  await git.push(run, null, soon());
  expect(pushes()).toHaveLength(1);
  expect(remote.sha(BRANCH)).toBe(run.tipSha);
});

test("a branch that appeared meanwhile is left alone", async () => {
  const { remote, git, run, pushes } = await readyToPush();
  remote.git("branch", BRANCH, "main");
  const theirs = remote.commit(BRANCH, { "theirs.md": "x" });
  const error = await rejection(git.push(run, null, soon()));
  expect(error.code).toBe("BRANCH_DIVERGED");
  expect(error.message).toContain(theirs);
  expect(remote.sha(BRANCH)).toBe(theirs);
  expect(pushes()).toEqual([]);
});

test("an old value that is no ancestor is never pushed over, even if it is the expected one", async () => {
  const { remote, git, run } = await readyToPush();
  remote.git("branch", BRANCH, "main");
  const theirs = remote.commit(BRANCH, { "theirs.md": "x" });
  expect((await rejection(git.push(run, theirs, soon()))).code).toBe("BRANCH_DIVERGED");
  expect(remote.sha(BRANCH)).toBe(theirs);
});

test("a branch that moves between the look and the push is refused by the remote's comparison", async () => {
  const { remote, git, run } = await readyToPush((repository) => {
    repository.git("branch", BRANCH, "main");
    // Moves the branch itself as soon as a push arrives, before the push is judged.
    const hook = join(repository.path, "hooks", "pre-receive");
    writeFileSync(
      hook,
      `#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/${BRANCH} refs/heads/theirs\n`,
    );
    chmodSync(hook, 0o755);
    repository.git("branch", "theirs", "main");
  });
  remote.git(
    "update-ref",
    "refs/heads/theirs",
    remote.git("commit-tree", "main^{tree}", "-p", "main", "-m", "Theirs"),
  );
  const error = await rejection(git.push(run, run.baseSha, soon()));
  expect(error.code).toBe("BRANCH_DIVERGED");
  expect(remote.sha(BRANCH)).toBe(remote.sha("theirs"));
});

test("a branch that is gone though it was expected is not made again", async () => {
  const { git, run } = await readyToPush();
  const error = await rejection(git.push(run, run.baseSha, soon()));
  expect(error.code).toBe("BRANCH_DIVERGED");
  expect(error.message).toContain("found no such branch");
});

test.each(["pre-receive", "update"])(
  "a %s hook that declines is a refusal, in one line with its first words",
  async (name) => {
    const { remote, git, run } = await readyToPush((repository) => {
      const hook = join(repository.path, "hooks", name);
      writeFileSync(hook, "#!/bin/sh\necho 'read-only: 503 No space left on device'\nexit 1\n");
      chmodSync(hook, 0o755);
    });
    const error = await rejection(git.push(run, null, soon()));
    expect(error.code).toBe("PUSH_REFUSED");
    expect(error.message).toMatch(
      /: the remote refused the push to \S+; it says: .*read-only: 503 No space left on device.*$/,
    );
    expect(error.message).not.toContain("\n");
    expect(error.message).toContain(
      `${remote.gitRemote}: the remote refused the push to ${BRANCH};`,
    );
    expect(remote.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  },
);

test("what hosts print when they refuse tells the refusals apart", async () => {
  const { remote, git, run } = await readyToPush();
  const words = join(remote.path, "words");
  const hook = join(remote.path, "hooks", "pre-receive");
  writeFileSync(hook, `#!/bin/sh\ncat '${words}' >&2\nexit 1\n`);
  chmodSync(hook, 0o755);
  for (const [said, code, remedy] of [
    [
      "error: GH006: Protected branch update failed for refs/heads/x.\n\n- Changes must be made through a pull request.",
      "BRANCH_PROTECTED",
      "bundle and patch are kept",
    ],
    [
      "error: GH013: Repository rule violations found for refs/heads/x.\n\n- GITHUB PUSH PROTECTION\n  —————————\n    - Push cannot contain secrets\n",
      "PUSH_REFUSED",
      "takes something in the commits for a secret",
    ],
    [
      "error: GH007: Your push would publish a private email address.",
      "PUSH_REFUSED",
      "SPECKIT_COMMIT_EMAIL",
    ],
    [
      "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission",
      "TOKEN_SCOPE_MISSING",
      "permission `workflows`",
    ],
    [`\u001b[31m${"so much ".repeat(200)}`, "PUSH_REFUSED", "bundle and patch are kept"],
  ] as const) {
    writeFileSync(words, said);
    const error = await rejection(git.push(run, null, soon()));
    expect(error, said).toMatchObject({
      failure: { code, remedy: expect.stringContaining(remedy) },
    });
    expect(error.message).toMatch(/; it says: pre-receive hook declined \P{C}{10,500}$/u);
  }
  expect(remote.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
});

test("a branch in the way of ours is a refusal", async () => {
  const { remote, git, run } = await readyToPush();
  remote.git("branch", "speckit", "main");
  expect((await rejection(git.push(run, null, soon()))).code).toBe("PUSH_REFUSED");
});

test("nothing but the one branch is pushed, and it is never forced past the expected value", async () => {
  const { remote, git, run, pushes } = await readyToPush();
  await git.push(run, null, soon());
  expect(remote.git("for-each-ref", "--format=%(refname)").split("\n")).toEqual([
    "refs/heads/main",
    `refs/heads/${BRANCH}`,
  ]);
  const args = pushes()[0]?.args ?? "";
  expect(args).toContain(`--force-with-lease=refs/heads/${BRANCH}: -- ${remote.gitRemote}`);
  expect(args).not.toMatch(/--force |-f |\+/);
});
