import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, git } from "@speckit/testkit";
import { expect, test } from "vitest";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import type {
  EnsuredPullRequest,
  PullRequestHost,
  WantedPullRequest,
} from "../../src/ports/pull-request-host.ts";
import { namesOf, phaseOf, requestFor, untilClosed, untilEvent, workshop } from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };

/** Has one pull request per branch, and answers what the test puts in its way first. */
function hostOf(...trouble: (SpeckitError | "left")[]) {
  const asked: WantedPullRequest[] = [];
  const branches: string[] = [];
  const host: PullRequestHost = {
    name: "host",
    serves: () => true,
    async ensure(wanted): Promise<EnsuredPullRequest> {
      asked.push(wanted);
      const next = trouble.shift();
      if (next instanceof SpeckitError) {
        throw next;
      }
      const isFirst = !branches.includes(wanted.head);
      branches.push(...(isFirst ? [wanted.head] : []));
      const number = 1 + branches.indexOf(wanted.head);
      return {
        number,
        url: `https://host.example.org/${number}`,
        state: next === "left" ? "closed" : "open",
        draft: wanted.draft,
        how: next ?? (isFirst ? "created" : "updated"),
        notes: [],
      };
    },
  };
  return { host, asked };
}

const publish = (open: ReturnType<typeof here.open>, runId: string, commandId = randomUUID()) =>
  open.orchestrator.command({ schemaVersion: 1, commandId, runId, command: "publish" });

const textOf = (stateDir: string, runId: string) =>
  readFile(join(stateDir, "artifacts", runId, "pull-request.md"), "utf8");

test("without a host the branch is pushed, and what would have been proposed is kept", async () => {
  const remote = await here.remote();
  await using open = here.open("no-host");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(
    requestFor(remote.path, { draft: false, labels: ["spec", "speckit"] }),
  );
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "succeeded",
    pushed: true,
    pullRequest: {
      how: "described",
      base: "main",
      number: null,
      url: null,
      draft: false,
      labels: ["speckit", "spec"],
      notes: [expect.stringMatching(/No pull-request host is configured/)],
    },
  });
  expect(namesOf(result)).toContain("pull-request.md");
  const text = await textOf(open.stateDir, run.runId);
  for (const told of [run.runId, result.branch, "specs/001-add-oauth-login", "speckit.implement"]) {
    expect(text).toContain(told);
  }
});

test("a run's pull request is what its request wants; a second run on its branch goes on there and updates it", async () => {
  const remote = await here.remote();
  const { host, asked } = hostOf();
  await using open = here.open("updated", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const wishes = { reviewers: ["ada", "acme/team"], assignees: ["bob"], branch: "feature/login" };
  const first = await open.orchestrator.submit(requestFor(remote.path, wishes));
  const one = await untilClosed(open.orchestrator, first.run.runId);
  expect(one.pullRequest).toMatchObject({ how: "created", number: 1, draft: true });
  expect(asked[0]).toMatchObject({
    head: "feature/login",
    base: "main",
    draft: true,
    labels: ["speckit"],
    reviewers: ["ada", "acme/team"],
    assignees: ["bob"],
  });

  const second = await open.orchestrator.submit(
    requestFor(remote.path, { specifyText: "Add a page", branch: "feature/login" }),
  );
  const two = await untilClosed(open.orchestrator, second.run.runId);
  expect(two).toMatchObject({
    status: "succeeded",
    baseSha: one.headSha,
    featureDirectory: "specs/002-add-a-page",
    pullRequest: { how: "updated", number: 1, base: null },
  });
  expect(asked[1]).toMatchObject({ head: "feature/login", base: null });
  const commits = await git(remote.path, "rev-list", "--count", "main..feature/login");
  expect(commits).toBe("6");
});

test("a host that is down is asked again, not before it says so; the branch is there meanwhile", async () => {
  const remote = await here.remote();
  const resetsAt = new Date(Date.now() + 3_600_000).toISOString();
  const { host, asked } = hostOf(
    new SpeckitError("PULL_REQUEST_HOST_LIMITED", "limited", { resetsAt }),
  );
  await using open = here.open("limited", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const waiting = await eventually(
    "the run waits for its host",
    () => open.orchestrator.result(run.runId),
    (result) => result.waitingFor === "pull_request",
    { withinMs: 90_000 },
  );
  expect(waiting).toMatchObject({ status: "in_progress", pushed: true });
  expect(Date.parse(waiting.nextLookAt ?? "")).toBeGreaterThan(Date.parse(resetsAt) - 5_000);
  expect(await git(remote.path, "rev-parse", waiting.branch)).toBe(waiting.headSha);
  expect(asked).toHaveLength(1);

  const commandId = randomUUID();
  await open.orchestrator.command({
    schemaVersion: 1,
    commandId,
    runId: run.runId,
    command: "resume",
  });
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded", pullRequest: { number: 1 } });
  expect(phaseOf(result, "pull_request")).toMatchObject({ status: "succeeded", attempt: 2 });
  expect(phaseOf(result, "publish")).toMatchObject({ attempt: 1 });
});

test("a host that stays down is asked ten times, then the run fails with its branch kept; publish completes it", async () => {
  const remote = await here.remote();
  const down = () => new SpeckitError("PULL_REQUEST_HOST_UNAVAILABLE", "down");
  const { host, asked } = hostOf(...Array.from({ length: 10 }, down));
  await using open = here.open("down", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  for (let attempt = 1; attempt < 10; attempt += 1) {
    await untilEvent(open.orchestrator, run.runId, `phase.failed pull_request ${attempt}`);
    expect(await open.orchestrator.result(run.runId)).toMatchObject({ status: "in_progress" });
    const command = { schemaVersion: 1, commandId: randomUUID(), runId: run.runId };
    await open.orchestrator.command({ ...command, command: "resume" });
  }
  const failed = await untilClosed(open.orchestrator, run.runId);
  expect(failed).toMatchObject({
    status: "failed",
    pushed: true,
    failure: { code: "PULL_REQUEST_HOST_UNAVAILABLE" },
  });
  expect(asked).toHaveLength(10);
  expect(phaseOf(failed, "publish")).toMatchObject({ attempt: 1 });
  expect(await git(remote.path, "rev-parse", failed.branch)).toBe(failed.headSha);

  const { newRunId = "" } = await publish(open, run.runId);
  expect(await untilClosed(open.orchestrator, newRunId)).toMatchObject({
    status: "succeeded",
    branch: failed.branch,
    pullRequest: { how: "created", number: 1 },
  });
});

test("a pull request that cannot be opened fails the run with its branch kept; publish opens it as a new run", async () => {
  const remote = await here.remote();
  const { host, asked } = hostOf(new SpeckitError("TOKEN_SCOPE_MISSING", "no scope"));
  await using open = here.open("refused", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const failed = await untilClosed(open.orchestrator, run.runId);
  expect(failed).toMatchObject({
    status: "failed",
    pushed: true,
    failure: { code: "TOKEN_SCOPE_MISSING" },
  });
  expect(await git(remote.path, "rev-parse", failed.branch)).toBe(failed.headSha);

  const commandId = randomUUID();
  expect(await publish(open, run.runId, commandId)).toEqual({ isNew: true, newRunId: commandId });
  expect(await publish(open, run.runId, commandId)).toEqual({ isNew: false, newRunId: commandId });
  const published = await untilClosed(open.orchestrator, commandId);
  expect(published).toMatchObject({
    status: "succeeded",
    retryOf: run.runId,
    branch: failed.branch,
    headSha: failed.headSha,
    pullRequest: { how: "created", number: 1 },
  });
  expect(published.phases.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "prepare skipped",
    "specify skipped",
    "plan skipped",
    "tasks skipped",
    "publish succeeded",
    "pull_request succeeded",
    "cleanup succeeded",
  ]);
  // What the first run has made is told, though no agent worked in the second.
  for (const text of [asked[0]?.body, asked[1]?.body]) {
    expect(text).toContain("specs/001-add-oauth-login/plan.md");
    expect(text).toMatch(/Time: prepare .* specify .* plan .* tasks .* publish /);
  }
  expect(await remote.starts()).toEqual(["specify 1", "plan 1", "tasks 1"]);
  expect(await open.orchestrator.result(run.runId)).toEqual(failed);
});

test("a dry run asks nobody and shows what it would have done; publish does it", async () => {
  const remote = await here.remote();
  const { host, asked } = hostOf();
  await using open = here.open("dry", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, { dryRun: true }));
  const dry = await untilClosed(open.orchestrator, run.runId);
  expect(dry).toMatchObject({
    status: "succeeded",
    pushed: false,
    pullRequest: { how: "described", draft: true, labels: ["speckit"] },
  });
  expect(namesOf(dry)).toEqual(expect.arrayContaining(["pull-request.md", "run.patch"]));
  expect(asked).toEqual([]);
  expect(await git(remote.path, "branch", "--list", "speckit/*")).toBe("");

  const { newRunId = "" } = await publish(open, run.runId);
  const published = await untilClosed(open.orchestrator, newRunId);
  expect(published).toMatchObject({ status: "succeeded", pushed: true, headSha: dry.headSha });
  expect(await git(remote.path, "rev-parse", dry.branch)).toBe(dry.headSha);
  // Word for word what the dry run has shown, but for the run it names.
  const shown = await textOf(open.stateDir, run.runId);
  const title = asked[0]?.title ?? "";
  expect(shown.startsWith(`# ${title}\n`)).toBe(true);

  await expect(publish(open, newRunId)).rejects.toMatchObject({
    code: "RUN_NOT_PUBLISHABLE",
    message: expect.stringContaining("has published everything"),
  });
});

test("only what is whole can be published", async () => {
  const remote = await here.remote({ plan: { exitCode: 3 } });
  await using open = here.open("half");
  const submitted = await open.orchestrator.submit(requestFor(remote.path));
  const { runId } = submitted.run;
  await expect(publish(open, runId)).rejects.toMatchObject({ code: "RUN_NOT_PUBLISHABLE" });
  await expect(publish(open, randomUUID())).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  await using _worker = await open.orchestrator.work(WORK);
  await untilEvent(open.orchestrator, runId, "phase.started plan 1");
  await open.orchestrator.cancel(runId);
  await untilClosed(open.orchestrator, runId);
  await expect(publish(open, runId)).rejects.toMatchObject({
    code: "RUN_NOT_PUBLISHABLE",
    message: expect.stringMatching(/has ended at plan, .* retry goes on with it/),
  });
});

test("a pull request that people have closed is left alone, and the result says so", async () => {
  const remote = await here.remote();
  const { host } = hostOf("left");
  await using open = here.open("left", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({
    status: "succeeded",
    pullRequest: { how: "left", state: "closed" },
  });
});

test("a run that changed nothing proposes nothing", async () => {
  const remote = await here.remote();
  const { host, asked } = hostOf();
  await using open = here.open("nothing", { pullRequests: host });
  await using _worker = await open.orchestrator.work(WORK);
  const branch = "feature/again";
  const first = await open.orchestrator.submit(requestFor(remote.path, { branch }));
  const one = await untilClosed(open.orchestrator, first.run.runId);
  // The same documents once more: the scripted agent writes what is there already.
  const again = await open.orchestrator.submit(
    requestFor(remote.path, {
      branch,
      phases: ["tasks"],
      featureDirectory: one.featureDirectory,
    }),
  );
  const two = await untilClosed(open.orchestrator, again.run.runId);
  expect(two).toMatchObject({ status: "no_changes", pushed: false });
  expect(two.pullRequest).toBeUndefined();
  expect(asked).toHaveLength(1);
  expect(await textOf(open.stateDir, again.run.runId)).toContain(again.run.runId);
});
