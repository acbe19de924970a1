import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type MockGitHub, startMockGitHub } from "../src/index.ts";

const REPO = "acme/app";
let folder: string;
let github: MockGitHub;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "speckit-test-mock-github-"));
  github = await startMockGitHub({ folder, tls: false });
  const all = { contents: "write", pull_requests: "write", metadata: "read" } as const;
  github.giveToken("github_pat_1", { kind: "fine-grained", login: "bot", permissions: all });
  const { collaborators, teams } = github.repository(REPO);
  collaborators.add("ada");
  teams.add("core");
  github.people.commit(REPO, "one");
});
afterEach(() => {
  expect(github.violations).toEqual([]);
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function call(route: string, body?: object): Promise<{ status: number; body: unknown }> {
  const [method = "GET", path = ""] = route.split(" ");
  const response = await fetch(`${github.apiUrl}${path}`, {
    method,
    headers: { authorization: "bearer github_pat_1", "content-type": "application/json" },
    redirect: "manual",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

test("each operation it has answers as GitHub's description says", async () => {
  const answers = [
    await call(`GET /repos/${REPO}`),
    await call(`GET /repos/${REPO}/branches/one`),
    await call(`GET /repos/${REPO}/branches/none`),
    await call(`POST /repos/${REPO}/pulls`, { head: "one", base: "main", title: "T", body: "B" }),
    await call(`POST /repos/${REPO}/pulls`, { head: "one", base: "main", title: "T", body: "B" }),
    await call(`GET /repos/${REPO}/pulls?state=all&head=acme:one&per_page=100`),
    await call(`PATCH /repos/${REPO}/pulls/1`, { title: "T2" }),
    await call(`GET /repos/${REPO}/labels/new`),
    await call(`POST /repos/${REPO}/labels`, { name: "new", color: "ededed" }),
    await call(`POST /repos/${REPO}/labels`, { name: "new", color: "ededed" }),
    await call(`POST /repos/${REPO}/issues/1/labels`, { labels: ["new"] }),
    await call(`POST /repos/${REPO}/issues/1/assignees`, { assignees: ["ada"] }),
    await call(`POST /repos/${REPO}/pulls/1/requested_reviewers`, { reviewers: ["eve"] }),
    await call(`POST /repos/${REPO}/pulls/1/requested_reviewers`, {
      reviewers: ["ada"],
      team_reviewers: ["core"],
    }),
  ];
  github.people.review(REPO, 1, "ada");
  github.people.markReady(REPO, 1);
  github.people.merge(REPO, 1);
  answers.push(
    await call(`GET /repos/${REPO}/pulls/1/reviews`),
    await call(`GET /repos/${REPO}/issues/1/events`),
    await call(`GET /repos/${REPO}/pulls?state=all&head=acme:one`),
  );
  expect(github.violations).toEqual([]);
  expect(answers.map(({ status }) => status)).toEqual([
    200, 200, 404, 201, 422, 200, 200, 404, 201, 422, 200, 201, 422, 201, 200, 200, 200,
  ]);
  expect(answers.at(-1)?.body).toMatchObject([{ number: 1, state: "closed", title: "T2" }]);
});

test("a call that GitHub's description does not allow is found", async () => {
  const planted = [
    await call(`GET /repos/${REPO}/pull-requests`),
    await call(`GET /repos/${REPO}/pulls?branch=one`),
    await call(`GET /repos/${REPO}/pulls?state=finished`),
    await call(`POST /repos/${REPO}/pulls`, { base: "main", title: "no head" }),
    await call(`POST /repos/${REPO}/pulls`, { head: "one", base: "main", draft: "yes" }),
    await call(`POST /repos/${REPO}/pulls`, { head: "one", base: "main", labels: ["x"] }),
    await call(`GET /repos/${REPO}/issues/first/events`),
  ];
  expect(planted.map(({ status }) => status)).toEqual(planted.map(() => 500));
  expect(github.takeViolations()).toEqual([
    expect.stringContaining("no such operation"),
    expect.stringContaining("query parameter branch is not in the description"),
    expect.stringContaining("query parameter state: / must be equal to one of"),
    expect.stringContaining("must have required property 'head'"),
    expect.stringContaining("body: /draft must be boolean"),
    expect.stringContaining("body: labels is not in the description"),
    expect.stringContaining("path parameter issue_number: / must be integer"),
  ]);
});

test("an answer that GitHub's description does not allow is found", async () => {
  github.tamper("GET /repos/{owner}/{repo}", (body) => ({ ...(body as object), archived: "no" }));
  github.tamper("GET /repos/{owner}/{repo}/branches/{branch}", () => ({ name: "one" }));
  await call(`GET /repos/${REPO}`);
  await call(`GET /repos/${REPO}/branches/one`);
  github.tamper("GET /repos/{owner}/{repo}", (body) => body);
  expect(github.takeViolations()).toEqual(
    expect.arrayContaining([
      expect.stringContaining("answer 200: /archived must be boolean"),
      expect.stringContaining("answer 200: / must have required property 'commit'"),
    ]),
  );
});

test("violations that nobody has looked at fail its end", async () => {
  const other = await startMockGitHub({ folder, tls: false });
  await fetch(`${other.apiUrl}/no/such/thing`);
  await expect(other[Symbol.asyncDispose]()).rejects.toThrow(
    "GET /api/v3/no/such/thing: no such operation",
  );
});
