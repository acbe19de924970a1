import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  cloudEventSchema,
  explanationSchema,
  statisticsSchema,
} from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { git } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;
let speckit: Cli;

beforeAll(async () => {
  folder = await stateFolder("cli-commands");
  speckit = cli(folder.path, { SPECKIT_AGENT: "scripted" });
});

afterAll(() => folder[Symbol.asyncDispose]());

const sample = (name: string, script: object) =>
  makeSampleRemote(join(folder.path, name), { ".scripted-agent.json": JSON.stringify(script) });

const json = async (...args: readonly string[]) => {
  const done = await speckit.run([...args, "--json"]);
  return { exitCode: done.exitCode, said: JSON.parse(done.stdout) };
};

test("stats of a new database are sensible: every day, no run, no goal that is met or missed", async () => {
  const plain = await speckit.run(["stats", "--days", "2", "--slo", "20m"]);
  expect(plain.exitCode, plain.stderr).toBe(0);
  expect(plain.stdout).toContain("Within 20m 00s: no run to count");
  expect(plain.stdout).toContain("Now: 0 carried, none waiting");
  expect(plain.stdout).toMatch(/^[\n\x20-\x7e]*$/);
  const wrong = await json("stats", "--since", "a week");
  expect(wrong).toMatchObject({ exitCode: 2, said: { failure: { code: "REQUEST_INVALID" } } });
});

test("a run that asks ends with exit 3 and says how to answer; answer carries it to its branch", async () => {
  const remote = await sample("asking", {
    specify: { onlyAttempts: [1], askQuestion: "Which provider?" },
  });
  const asked = await speckit.run(["run", remote, "Add OAuth login", "--on-questions", "pause"]);
  expect(asked.exitCode, asked.stderr).toBe(3);
  expect(asked.stdout).toContain("Q1  Which provider?");
  const [, runId = ""] = /npx speckit answer (\S+) "<answer 1>"/.exec(asked.stdout) ?? [];
  const status = await json("status", runId);
  expect(status.said).toMatchObject({ status: "needs_input", questionRound: 1 });
  const why = await json("explain", runId);
  expect(explanationSchema.parse(why.said)).toMatchObject({ waitsFor: "input", phase: "specify" });
  expect(why.said.headline).toBe("waits for answers to 1 question, for 6 d 23 h more");

  const tooMany = await json("answer", runId, "Google", "too many");
  expect(tooMany).toMatchObject({ exitCode: 2, said: { failure: { code: "ANSWER_REFUSED" } } });
  const done = await json("answer", runId, "Google");
  expect(done).toMatchObject({ exitCode: 0, said: { status: "succeeded" } });
  const { branch, featureDirectory } = done.said;
  expect(await git(remote, "show", `${branch}:${featureDirectory}/spec.md`)).toContain("> Google");
  expect(await json("answer", runId, "late")).toMatchObject({
    exitCode: 2,
    said: { failure: { code: "RUN_ENDED" } },
  });
});

test("retry makes a new run that goes on from the last good phase, once per id", async () => {
  const remote = await sample("retrying", { plan: { sleepMs: 60_000, onlyAttempts: [1] } });
  const failed = await json("run", remote, "Add a slow page", "--deadline-ms", "6000");
  expect(failed).toMatchObject({ exitCode: 1, said: { status: "failed" } });
  const newRunId = randomUUID();
  const { runId } = failed.said;
  const page = await speckit.run(["explain", runId]);
  expect(page.exitCode, page.stderr).toBe(0);
  expect(page.stdout).toMatch(/failed at plan: RUN_DEADLINE_EXCEEDED, \d+ s ago/);
  expect(page.stdout).toContain(`npx speckit retry ${runId}`);
  const stats = await json("stats", "--since", "1h", "--slo", "20m");
  expect(stats.exitCode).toBe(1);
  expect(statisticsSchema.parse(stats.said)).toMatchObject({
    slo: { targetMs: 1_200_000, isMet: false },
    failures: expect.arrayContaining([
      { code: "RUN_DEADLINE_EXCEEDED", class: "permanent", attempts: 1, retried: 0, runs: 1 },
    ]),
  });
  const retried = speckit.start(["retry", runId, "--new-run-id", newRunId, "--json"]);
  retried.kill("SIGINT");
  await retried.result;
  expect(await json("retry", runId, "--new-run-id", newRunId)).toMatchObject({
    said: { runId: newRunId, retryOf: runId, branch: failed.said.branch },
  });
  expect(await json("retry", randomUUID())).toMatchObject({
    exitCode: 2,
    said: { failure: { code: "RUN_NOT_FOUND" } },
  });
});

test("events are CloudEvents, one a line, without what the agent said; followed to the run's end", async () => {
  const remote = await sample("events", {});
  const { said } = await json("run", remote, "Add a page");
  const done = await speckit.run(["events", said.runId, "--follow", "--json"]);
  expect(done.exitCode, done.stderr).toBe(0);
  const events = done.stdout
    .trim()
    .split("\n")
    .map((line) => cloudEventSchema.parse(JSON.parse(line)));
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["speckit.run.accepted", "speckit.phase.succeeded"]),
  );
  expect(events.some(({ type }) => type === "speckit.phase.message")).toBe(false);
  expect(new Set(events.map(({ subject }) => subject))).toEqual(new Set([said.runId]));
  expect(events[0]?.source).toMatch(/^\/speckit\/[0-9a-f-]{36}$/);
  const plain = await speckit.run(["events", said.runId]);
  expect(plain.stdout.trim().split("\n")).toHaveLength(events.length);
});
