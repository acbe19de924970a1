import { freePort } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { githubPullRequestHost } from "../../../src/adapters/github/index.ts";
import type { SpeckitError } from "../../../src/domain/speckit-error.ts";
import type { WantedPullRequest } from "../../../src/ports/pull-request-host.ts";
import { type GitHubBench, githubBench, onlyToken, TOKEN } from "./github-bench.ts";

const { signal } = new AbortController();
const CREATE = "POST /repos/{owner}/{repo}/pulls";
let bench: GitHubBench;

beforeAll(async () => {
  bench = await githubBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** What `ensure` throws for it; with a look that the token is in none of it. */
async function failureOf(wanted: WantedPullRequest, token = TOKEN): Promise<SpeckitError> {
  const { github, reach } = bench;
  await using host = githubPullRequestHost({
    ...reach,
    credentials: onlyToken(github.host, token),
  });
  const error = (await host.ensure(wanted, signal).then(
    () => expect.fail("it did not fail"),
    (reason: unknown) => reason,
  )) as SpeckitError;
  const everything = [error.stack, JSON.stringify(error), String(error.cause), bench.log];
  expect(JSON.stringify(everything)).not.toContain(token);
  return error;
}

describe("failures are told apart", () => {
  test("an archived repository, one that moved, one that is gone", async () => {
    const archived = bench.repository();
    archived.state.archived = true;
    expect(await failureOf(bench.wanted(archived.fullName))).toMatchObject({
      code: "REPOSITORY_ARCHIVED",
      class: "permanent",
      message: `${archived.fullName}: it is archived`,
    });
    const moved = bench.repository();
    moved.state.moved = true;
    expect(await failureOf(bench.wanted(moved.fullName))).toMatchObject({
      code: "REPOSITORY_MOVED",
      class: "permanent",
    });
    const gone = bench.repository();
    gone.state.gone = true;
    expect(await failureOf(bench.wanted(gone.fullName))).toMatchObject({
      code: "REPOSITORY_NOT_FOUND",
      class: "permanent",
    });
  });

  test("a token that is refused, and one that lacks a scope or a permission, which is named", async () => {
    const { fullName, state } = bench.repository();
    const { github } = bench;
    expect(await failureOf(bench.wanted(fullName), "ghp_wrong")).toMatchObject({
      code: "GIT_CREDENTIALS_REFUSED",
      message: expect.stringContaining("Bad credentials"),
    });
    github.giveToken("ghp_gist", { kind: "classic", login: "bot", scopes: ["gist"] });
    expect(await failureOf(bench.wanted(fullName), "ghp_gist")).toMatchObject({
      code: "TOKEN_SCOPE_MISSING",
      class: "permanent",
      message: expect.stringContaining("lacks the scope repo; it has gist"),
    });
    state.isPrivate = false;
    github.giveToken("github_pat_reads", {
      kind: "fine-grained",
      login: "bot",
      permissions: { contents: "write", metadata: "read", pull_requests: "read" },
    });
    expect(await failureOf(bench.wanted(fullName), "github_pat_reads")).toMatchObject({
      code: "TOKEN_SCOPE_MISSING",
      message: expect.stringContaining("lacks one of: pull_requests=write"),
    });
    expect(state.pulls).toEqual([]);
  });

  test("a refused validation has GitHub's own words", async () => {
    const { fullName } = bench.repository();
    const wanted = bench.wanted(fullName, { title: "x".repeat(300) });
    expect(await failureOf(wanted)).toMatchObject({
      code: "PULL_REQUEST_REFUSED",
      class: "permanent",
      message: expect.stringContaining("title is too long (maximum is 256 characters)"),
    });
  });

  test("a server error that stays, and a host that is not there, are transient", async () => {
    const { fullName } = bench.repository();
    bench.github.fail(undefined, { kind: "status", status: 502 }, 3);
    expect(await failureOf(bench.wanted(fullName))).toMatchObject({
      code: "PULL_REQUEST_HOST_UNAVAILABLE",
      class: "transient",
      message: expect.stringContaining("502"),
    });
    const nobody = `127.0.0.1:${await freePort()}`;
    await using away = githubPullRequestHost({
      ...bench.reach,
      apiUrl: `http://${nobody}/api/v3`,
      credentials: onlyToken(nobody, TOKEN),
    });
    const gitRemote = `https://${nobody}/acme/app.git`;
    await expect(away.ensure(bench.wanted(fullName, { gitRemote }), signal)).rejects.toMatchObject({
      code: "PULL_REQUEST_HOST_UNAVAILABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("a server error that passes is not noticed, nor is a cut connection after the creation", async () => {
    const { fullName, state } = bench.repository();
    bench.github.fail(undefined, { kind: "status", status: 503 }, 2);
    bench.github.fail(CREATE, { kind: "cut", when: "after" });
    const made = await bench.host.ensure(bench.wanted(fullName), signal);
    expect(made).toMatchObject({ number: 1, state: "open", draft: true });
    expect(state.pulls).toHaveLength(1);
  });

  test("no token is GIT_CREDENTIALS_MISSING, and nothing is called", async () => {
    const { fullName } = bench.repository();
    const before = bench.github.calls.length;
    await using host = githubPullRequestHost({
      ...bench.reach,
      credentials: { find: async () => undefined },
    });
    await expect(host.ensure(bench.wanted(fullName), signal)).rejects.toMatchObject({
      code: "GIT_CREDENTIALS_MISSING",
    });
    expect(bench.github.calls.length).toBe(before);
  });
});

describe("rate limits", () => {
  test("short ones are waited for by their headers", async () => {
    const { fullName } = bench.repository();
    bench.github.fail(CREATE, { kind: "secondary-limit", seconds: 7 });
    bench.github.fail(CREATE, { kind: "primary-limit", resetsInSeconds: 20, status: 429 });
    expect(await bench.host.ensure(bench.wanted(fullName), signal)).toMatchObject({
      how: "created",
    });
    const waits = bench.log.filter(({ message }) => message.includes("rate limit"));
    expect(waits.at(-2)?.fields).toEqual({ limit: "secondary", seconds: 7 });
    expect(waits.at(-1)?.fields).toMatchObject({ limit: "primary" });
  });

  test.each([
    { kind: "secondary-limit", seconds: 600 },
    { kind: "primary-limit", resetsInSeconds: 3_000 },
  ] as const)("a long one is told with its end: $kind", async (failure) => {
    const { fullName } = bench.repository();
    bench.github.fail(CREATE, failure);
    const error = await failureOf(bench.wanted(fullName));
    expect(error).toMatchObject({ code: "PULL_REQUEST_HOST_LIMITED", class: "transient" });
    const endsInMs = Date.parse(error.failure.resetsAt ?? "") - Date.now();
    expect(endsInMs).toBeGreaterThan(300_000);
    expect(endsInMs).toBeLessThan(3_100_000);
  });

  test("short ones again and again come to an end", async () => {
    const { fullName } = bench.repository();
    bench.github.fail(CREATE, { kind: "secondary-limit", seconds: 25 }, 3);
    expect(await failureOf(bench.wanted(fullName))).toMatchObject({
      code: "PULL_REQUEST_HOST_LIMITED",
    });
  });
});

test("an aborted signal ends a call that is not answered", async () => {
  const { fullName } = bench.repository();
  bench.github.fail("GET /repos/{owner}/{repo}/pulls", { kind: "silence" });
  const controller = new AbortController();
  const work = bench.host.ensure(bench.wanted(fullName), controller.signal);
  const reason = new Error("no longer wanted");
  await expect.poll(() => bench.github.calls.at(-1)?.status, { timeout: 30_000 }).toBe(0);
  controller.abort(reason);
  await expect(work).rejects.toBe(reason);
});

test("what is refused of reviewers, assignees and labels is noted, and costs nothing else", async () => {
  const { fullName, state } = bench.repository();
  state.labels.add("Kept");
  const made = await bench.host.ensure(
    bench.wanted(fullName, {
      labels: ["kept", "x".repeat(60)],
      reviewers: ["ada", "eve", "speckit-bot", "acme/core", "other/team"],
      assignees: ["ada", "eve"],
    }),
    signal,
  );
  expect(made).toMatchObject({ how: "created", state: "open" });
  expect(made.notes).toEqual([
    expect.stringMatching(/^the label x+ could not be made: .*maximum is 50/),
    "eve was not assigned: no such user, or not of this repository",
    "speckit-bot was not asked for a review: GitHub asks no author",
    "other/team was not asked for a review: it is no team of acme",
    expect.stringMatching(/^eve was not asked for a review: Reviews may only be requested/),
  ]);
  expect(state.pulls[0]).toMatchObject({
    labels: ["kept"],
    reviewers: ["ada"],
    teams: ["core"],
    assignees: ["ada"],
  });
});

test("whoever has reviewed is not asked again", async () => {
  const { fullName, state } = bench.repository();
  const wanted = bench.wanted(fullName, { reviewers: ["ada"] });
  await bench.host.ensure(wanted, signal);
  bench.github.people.review(fullName, 1, "ada");
  await bench.host.ensure(wanted, signal);
  expect(state.pulls[0]?.reviewers).toEqual([]);
});
