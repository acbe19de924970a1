import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRunRequestPublisher } from "@speckit/orchestrator/rabbitmq";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { expect, test } from "vitest";
import { git } from "../src/git.ts";
import {
  checkEverything,
  rowsOf,
  seededRandom,
  tempFolder,
  testBroker,
  testDatabase,
} from "../src/index.ts";

const database = await testDatabase();
const broker = testBroker();

/** A run that ended well, by its row alone; everything else about it is missing. */
async function plantRun(
  remote: string,
  branch: string,
  epoch: number,
  baseSha: string,
): Promise<string> {
  const id = randomUUID();
  await rowsOf(
    database.url,
    `INSERT INTO spec_workflow_runs (id, request, request_hash, repository, git_remote, branch, agent,
       pipeline, outcome, finished_at, cleaned_at, wake_at, pushed, base_sha, tip_sha, epoch)
     VALUES ($1, '{}', '', 'x', $2, $3, 'scripted', '{prepare,specify}', 'succeeded',
       clock_timestamp(), clock_timestamp(), NULL, true, $4, $5, $6)`,
    [id, `file://${remote}`, branch, baseSha, "2".repeat(40), epoch],
  );
  return id;
}

async function plantAttempt(
  runId: string,
  phase: string,
  attempt: number,
  state: string,
  epoch: number,
): Promise<void> {
  await rowsOf(
    database.url,
    `INSERT INTO spec_workflow_task_states (run_id, phase, attempt, state, epoch, changed,
       started_at, ended_at)
     VALUES ($1, $2, $3, $4, $5, $4 = 'succeeded', clock_timestamp(), clock_timestamp())`,
    [runId, phase, attempt, state, epoch],
  );
}

test("the oracle of fault tests finds what is planted, at each of the four places it looks", async () => {
  await using folder = await tempFolder("oracle");
  const remote = await makeSampleRemote(folder.path);
  const evidence = {
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    remotes: [remote],
    startsPath: join(folder.path, "starts.log"),
  };
  // Declares the door and leaves one request in it.
  await using publisher = await openRunRequestPublisher(broker);
  await publisher.publish({ schemaVersion: 1, repository: "acme/shop", specifyText: "Add a page" });

  const main = await git(remote, "rev-parse", "main");
  const runId = await plantRun(remote, "speckit/planted", 2, main);
  const foreignId = await plantRun(remote, "speckit/foreign", 1, "1".repeat(40));
  await plantAttempt(runId, "specify", 1, "succeeded", 2);
  await plantAttempt(runId, "specify", 3, "failed", 1);
  await plantAttempt(runId, "plan", 1, "interrupted", 3);
  await git(remote, "branch", "speckit/planted", "main");
  await git(remote, "branch", "speckit/foreign", "main");
  await git(remote, "branch", "speckit/stray", "main");
  await writeFile(
    evidence.startsPath,
    [`specify 2 ${runId} 7`, `plan 1 ${runId} 8`, `plan 1 ${runId} 9`, ""].join("\n"),
  );

  const found = (await checkEverything({ ...evidence, outcomes: { failed: 1 } })).join("\n");
  for (const [place, line] of [
    ["rows", "specify: attempt 2 is missing"],
    ["rows", "specify 3 has epoch 1, between 2 and 2"],
    ["rows", "plan 1 has epoch 3, between 1 and 2"],
    ["rows", "specify was started again after it had succeeded: failed"],
    ["rows", "plan has not succeeded in a run that has"],
    ["rows", "2 runs have the outcome succeeded, expected 0"],
    ["rows", "0 runs have the outcome failed, expected 1"],
    ["events", "0 events run.succeeded"],
    ["remote", `branch speckit/planted of run ${runId} is at `],
    ["remote", `branch speckit/planted of run ${runId} has 0 commits for 1 phases`],
    ["remote", `branch speckit/foreign of run ${foreignId} has no commits for 0 phases`],
    ["remote", "branch speckit/stray is of no run"],
    ["starts", `run ${runId}: specify 2 has started an agent and has no row`],
    ["starts", `run ${runId}: specify 1 has succeeded without an agent`],
    ["starts", `run ${runId}: plan 1 has started its agent 2 times`],
    ["broker", `queue ${broker.prefix}.requests holds 1 messages`],
  ]) {
    expect(found, place).toContain(line);
  }
  expect(
    (await checkEverything({ ...evidence, deadLetters: ["REQUEST_INVALID"] })).join(),
  ).toContain("the dead-letter queue holds [], expected [REQUEST_INVALID]");
});

test("a seed repeats its choices exactly", () => {
  const choices = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 200 }, () => [random.int(10), random.pick(["a", "b"])]);
  };
  expect(choices(7)).toEqual(choices(7));
  expect(choices(7)).not.toEqual(choices(8));
  const drawn = choices(9).map(([number]) => number);
  expect(new Set(drawn).size).toBe(10);
});
