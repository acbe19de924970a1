import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Failpoint, Phase } from "@speckit/orchestrator";
import { git, seededRandom, testSeed } from "@speckit/testkit";
import { expect, test } from "vitest";
import { OF_PULL_REQUESTS } from "./failpoint-phases.ts";
import { githubBench } from "./github-bench.ts";
import {
  type Place,
  placesOfDatabase,
  placesOfFolder,
  placesOfRepository,
  placesWith,
  watchArguments,
} from "./places-of-keys.ts";
import { workerPool } from "./worker-pool.ts";
import { startWorkerProcess } from "./worker-process.ts";

const random = seededRandom(testSeed("pull requests"));
const { bench, token, env, repository } = await githubBench("pull-requests");

test("a run at GitHub ends with its draft pull request, and the token is nowhere", async () => {
  const { there, path, request } = await repository("shop");
  there.collaborators.add("ada").add("bob");
  const watching = watchArguments(token);
  const worker = await startWorkerProcess(bench.worker("first", env()));
  const runId = randomUUID();
  await bench.client.publish(
    request(runId, { labels: ["spec"], reviewers: ["ada"], assignees: ["bob"] }),
    "shop",
  );
  const [run] = await bench.untilClosed([runId]);
  expect(run?.outcome).toBe("succeeded");
  await bench.untilQuiet();
  worker.kill("SIGTERM");
  const { stderr, stdout } = await worker.result;

  const answer = bench.client.answers.find(({ correlationId }) => correlationId === "shop");
  const branch = String(answer?.body.branch);
  expect(answer?.body).toMatchObject({
    status: "succeeded",
    pushed: true,
    pullRequest: {
      how: "created",
      number: 1,
      url: expect.stringContaining("/acme/shop/pull/1"),
      state: "open",
      draft: true,
      labels: ["speckit", "spec"],
      notes: [],
    },
  });
  expect(there.pulls).toMatchObject([
    {
      number: 1,
      head: branch,
      base: "main",
      draft: true,
      labels: ["speckit", "spec"],
      reviewers: ["ada"],
      assignees: ["bob"],
    },
  ]);
  const body = there.pulls[0]?.body ?? "";
  for (const told of [runId, "specs/001-add-a-page/tasks.md", "speckit.implement", branch]) {
    expect(body).toContain(told);
  }
  expect(await git(path, "rev-parse", branch)).toBe(answer?.body.headSha);

  const stateDir = bench.worker("first").stateDir;
  const messages = JSON.stringify([bench.client.events, bench.client.answers]);
  const places: readonly Place[] = [
    ...(await placesOfFolder(stateDir)),
    ...(await placesOfDatabase(bench.databaseUrl)),
    ...(await placesOfRepository(path)),
    ...(await watching.stop()),
    { name: "log", content: Buffer.from(`${stdout}${stderr}`) },
    { name: "messages", content: Buffer.from(messages) },
    { name: "pull request", content: Buffer.from(JSON.stringify(there.pulls)) },
  ];
  expect(placesWith(places, token)).toEqual([]);
  // The search finds what is there: the run's id is in all of these.
  const found = placesWith(places, runId);
  for (const name of ["log", "messages", "pull request", "table public.spec_workflow_runs"]) {
    expect(found).toContain(name);
  }
  const config = await readFile(join(path, "config"), "utf8");
  expect(config).not.toContain(token);
}, 300_000);

test("a worker killed anywhere between a commit and the stored pull request: one branch, one pull request", async () => {
  const { there, path, request } = await repository("killed");
  const cuts: readonly { readonly point: Failpoint; readonly phase: Phase }[] = [
    { point: "tree.committed", phase: "tasks" },
    { point: "result.committing", phase: "tasks" },
    { point: "result.committed", phase: "tasks" },
    { point: "push.done", phase: "publish" },
    ...(["publish", "pull_request"] as const).flatMap((phase) =>
      (["attempt.opened", "ticket.used", "result.committing", "result.committed"] as const).map(
        (point) => ({ point, phase }),
      ),
    ),
    ...OF_PULL_REQUESTS.map((point) => ({ point, phase: "pull_request" as const })),
  ];
  const cases = random
    .shuffle(cuts)
    .map((cut) => ({ ...cut, action: "kill" as const, runId: randomUUID() }));
  const slots = env({ SPECKIT_SLOTS: "1" });
  await using pool = await workerPool(3, (name) => bench.worker(`killed-${name}`, slots));
  for (const { runId, ...cut } of cases) {
    await bench.plan.cut(runId, cut);
    await bench.client.publish(request(runId));
  }
  const runs = await bench.untilClosed(
    cases.map((one) => one.runId),
    1_200_000,
  );
  expect(runs.filter((run) => run.outcome !== "succeeded")).toEqual([]);
  await pool.untilKilled(cases.length);
  for (const { runId, point, phase } of cases) {
    expect(await bench.plan.reached(runId), point).toMatchObject([{ point, phase }]);
  }
  const branches = (await git(path, "for-each-ref", "--format=%(refname:short)", "refs/heads/"))
    .split("\n")
    .filter((name) => name !== "main");
  expect(branches).toHaveLength(cases.length);
  expect(there.pulls.map(({ head }) => head).sort()).toEqual([...branches].sort());
  for (const { runId, point, phase } of cases) {
    const { branch, pullRequest } = runs.find(({ id }) => id === runId) ?? {};
    const own = there.pulls.find(({ number }) => number === pullRequest?.number);
    expect(own, `${point} in ${phase}`).toMatchObject({ head: branch, labels: ["speckit"] });
    expect(own?.body).toContain(runId);
  }
  await bench.untilQuiet();
  await pool.drain();
}, 1_440_000);
