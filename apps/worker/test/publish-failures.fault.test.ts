import { randomUUID } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runResultSchema } from "@speckit/orchestrator/contract";
import { eventually, git } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { githubBench } from "./github-bench.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const github = await githubBench("publish-failures");
const { bench, env } = github;

let worker: WorkerProcess;

beforeAll(async () => {
  worker = await startWorkerProcess(bench.worker("only", env({ SPECKIT_SLOTS: "8" })));
});
afterAll(async () => {
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
});

/** The repository of one case, and where it is. */
type At = Awaited<ReturnType<typeof github.repository>> & { readonly branch: string };

/** What the repository says to each push, until it is mended. */
function refusing(words: string) {
  const hook = ({ path }: At): string => join(path, "hooks", "pre-receive");
  return {
    breaks(at: At): void {
      writeFileSync(hook(at), `#!/bin/sh\necho '${words}' >&2\nexit 1\n`);
      chmodSync(hook(at), 0o755);
    },
    mends: (at: At): void => rmSync(hook(at)),
  };
}

const cases: readonly {
  readonly name: string;
  readonly code: string;
  /** What the message or the remedy says. */
  readonly says: RegExp;
  /** The branch was pushed before. */
  readonly pushed: boolean;
  /** When its commits are made, and nothing is pushed yet. */
  readonly breaks: (at: At) => void;
  /** Left out: nothing can be mended. */
  readonly mends?: (at: At) => void;
}[] = [
  {
    name: "push-refused",
    code: "PUSH_REFUSED",
    says: /no pushes on Fridays/,
    pushed: false,
    ...refusing("no pushes on Fridays"),
  },
  {
    name: "protected",
    code: "BRANCH_PROTECTED",
    says: /rule/,
    pushed: false,
    ...refusing("GH006: Protected branch update failed for refs/heads/x."),
  },
  {
    name: "no-scope",
    code: "TOKEN_SCOPE_MISSING",
    says: /`workflow`/,
    pushed: false,
    ...refusing(
      "refusing to allow a Personal Access Token to create or update workflow `.github/workflows/ci.yml` without `workflow` scope",
    ),
  },
  {
    name: "diverged",
    code: "BRANCH_DIVERGED",
    says: /Name another branch, or delete the one/,
    pushed: false,
    breaks: ({ there, branch }) =>
      void github.gitHub.people.commit(`${there.owner}/${there.name}`, branch),
    mends: ({ there, branch }) =>
      github.gitHub.people.deleteBranch(`${there.owner}/${there.name}`, branch),
  },
  {
    name: "archived",
    code: "REPOSITORY_ARCHIVED",
    says: /[Uu]narchive it/,
    pushed: false,
    breaks: ({ there }) => {
      there.archived = true;
    },
    mends: ({ there }) => {
      there.archived = false;
    },
  },
  {
    name: "gone",
    code: "REPOSITORY_NOT_FOUND",
    says: /Check the address/,
    pushed: false,
    breaks: ({ there }) => {
      there.gone = true;
    },
    mends: ({ there }) => {
      there.gone = false;
    },
  },
  {
    name: "renamed",
    code: "REPOSITORY_MOVED",
    says: /new address/,
    pushed: true,
    breaks: ({ there }) => {
      there.moved = true;
    },
  },
];

async function publishedOf(runId: string): Promise<string> {
  const commandId = randomUUID();
  await bench.client.publishCommand({ schemaVersion: 1, commandId, runId, command: "publish" });
  await eventually(
    "the run that publishes is there",
    () => bench.run(commandId),
    (run) => run !== undefined,
    { withinMs: 60_000 },
  );
  return commandId;
}

describe("what goes wrong between the commits and the pull request has a code and a remedy", () => {
  test.concurrent.each(cases)("$name", { timeout: 300_000 }, async (one) => {
    const { name, code, says, pushed, breaks, mends } = one;
    const repository = await github.repository(name);
    const runId = randomUUID();
    await bench.plan.cut(runId, { point: "attempt.opened", phase: "publish", action: "wait" });
    await bench.client.publish(repository.request(runId), name);
    await bench.plan.untilReached(runId);
    const { branch = "" } = (await bench.run(runId)) ?? {};
    const at = { ...repository, branch };
    breaks(at);
    await bench.plan.go(runId);
    await bench.untilClosed([runId]);
    const told = await eventually(
      "the run's end is told",
      () => bench.client.answers.find(({ correlationId }) => correlationId === name),
      (answer) => answer !== undefined,
    );
    const result = runResultSchema.parse(told?.body);
    expect(result).toMatchObject({ status: "failed", pushed, failure: { code } });
    expect(`${result.failure?.message} ${result.failure?.remedy}`).toMatch(says);
    const kept = result.artifacts.map((artifact) => artifact.name);
    expect(kept).toEqual(expect.arrayContaining(["run.patch", "checkpoint.bundle"]));
    expect(repository.there.pulls).toEqual([]);
    if (mends === undefined) {
      return;
    }

    mends(at);
    const again = await publishedOf(runId);
    const [run] = await bench.untilClosed([again]);
    expect(run).toMatchObject({ outcome: "succeeded", branch, pullRequest: { number: 1 } });
    expect(repository.there.pulls).toMatchObject([{ head: branch, state: "open", draft: true }]);
    expect(await git(repository.path, "rev-parse", branch)).toBe(result.headSha);
    expect((await bench.starts(runId)).length + (await bench.starts(again)).length).toBe(3);
  });
});

test("GitHub down after the push: the run waits for it with its branch pushed, and comes back by itself", async () => {
  const { there, path, request } = await github.repository("down");
  const runId = randomUUID();
  // One attempt's calls: the first, and two more.
  github.gitHub.fail("POST /repos/{owner}/{repo}/pulls", { kind: "status", status: 503 }, 3);
  await bench.client.publish(request(runId), "down");
  const [run] = await bench.untilClosed([runId]);
  expect(run).toMatchObject({ outcome: "succeeded", pullRequest: { number: 1 } });
  const attempts = await bench.attempts(runId);
  expect(
    attempts.filter(({ phase }) => phase === "publish" || phase === "pull_request"),
  ).toMatchObject([
    { phase: "publish", attempt: 1, state: "succeeded" },
    {
      phase: "pull_request",
      attempt: 1,
      state: "failed",
      failure: { code: "PULL_REQUEST_HOST_UNAVAILABLE", class: "transient" },
    },
    { phase: "pull_request", attempt: 2, state: "succeeded" },
  ]);
  expect(await git(path, "rev-parse", "--verify", run?.branch ?? "")).toMatch(/^[0-9a-f]{40}$/);
  expect(there.pulls).toHaveLength(1);
}, 300_000);

test("a token that may push and not open: the branch is there, the missing permission is named", async () => {
  const { there, path, request } = await github.repository("may-not-open");
  const token = `github_pat_${randomUUID()}`;
  github.gitHub.giveToken(token, {
    kind: "fine-grained",
    login: "robot",
    permissions: { contents: "write", metadata: "read" },
  });
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
  worker = await startWorkerProcess(bench.worker("narrow", env({ GITHUB_TOKEN: token })));
  const runId = randomUUID();
  await bench.client.publish(request(runId), "narrow");
  const [run] = await bench.untilClosed([runId]);
  expect(run).toMatchObject({ outcome: "failed", failure: { code: "TOKEN_SCOPE_MISSING" } });
  expect(JSON.stringify(run?.failure)).toContain("pull_requests");
  expect(await git(path, "rev-parse", "--verify", run?.branch ?? "")).toMatch(/^[0-9a-f]{40}$/);

  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
  worker = await startWorkerProcess(bench.worker("wide", env()));
  const [published] = await bench.untilClosed([await publishedOf(runId)]);
  expect(published).toMatchObject({ outcome: "succeeded" });
  expect(there.pulls).toHaveLength(1);
}, 300_000);
