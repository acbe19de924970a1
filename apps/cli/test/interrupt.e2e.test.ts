import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { eventually, git, processesWith } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

/** No other process on this machine sleeps for so long. */
const UNIQUE_SECONDS = `29${process.pid}`;

let folder: StateFolder;
let remote: string;
let startsPath: string;
let speckit: Cli;

beforeAll(async () => {
  folder = await stateFolder("cli-interrupt");
  startsPath = join(folder.path, "starts.log");
  remote = await makeSampleRemote(folder.path, {
    ".scripted-agent.json": JSON.stringify({
      specify: { appendTo: startsPath },
      plan: {
        appendTo: startsPath,
        onlyAttempts: [1],
        spawn: `setsid sleep ${UNIQUE_SECONDS}`,
        sleepMs: 120_000,
      },
      tasks: { appendTo: startsPath },
    }),
  });
  speckit = cli(folder.path, {
    SPECKIT_LEASE_MS: "6000",
    SPECKIT_HEARTBEAT_MS: "1000",
    SPECKIT_SWEEP_MS: "1000",
  });
});

afterAll(() => folder[Symbol.asyncDispose]());

const planIsRunning = () =>
  eventually(
    "the agent's detached child runs",
    () => processesWith(`sleep\0${UNIQUE_SECONDS}`),
    (pids) => pids.length > 0,
    {
      withinMs: 40_000,
    },
  );

const starts = async () => (await readFile(startsPath, "utf8")).trim().split("\n");

test("Ctrl-C hands the run over; resume carries it on from the last good phase", async () => {
  const running = speckit.start(["run", remote, "Add a page to interrupt", "--agent", "scripted"]);
  await planIsRunning();
  running.kill("SIGINT");
  const done = await running.result;
  expect(done.exitCode, done.stderr).toBe(130);
  const runId = /speckit resume (\S+)\n$/.exec(done.stdout)?.[1] ?? "";
  expect(await processesWith(`sleep\0${UNIQUE_SECONDS}`)).toEqual([]);

  const status = await speckit.run(["status", runId, "--json"]);
  expect(JSON.parse(status.stdout)).toMatchObject({ status: "in_progress" });
  const resumed = await speckit.run(["resume", runId, "--json"]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  const result = JSON.parse(resumed.stdout);
  expect(result.phases.find((phase: { name: string }) => phase.name === "plan")).toMatchObject({
    status: "succeeded",
    attempt: 2,
  });
  expect((await starts()).filter((line) => line.includes("specify"))).toHaveLength(1);
  expect(
    (await git(remote, "log", "--format=%s", `main..${result.branch}`)).split("\n"),
  ).toHaveLength(3);
});

test("SIGKILL of the CLI takes the agent and its detached children with it within a second", async () => {
  const running = speckit.start(["run", remote, "Add a page to kill", "--agent", "scripted"]);
  await planIsRunning();
  running.kill("SIGKILL");
  await running.result;
  await eventually(
    "nothing of the agent is left",
    () => processesWith(`sleep\0${UNIQUE_SECONDS}`),
    (pids) => pids.length === 0,
    {
      withinMs: 1_000,
    },
  );

  const list = JSON.parse((await speckit.run(["list", "--limit", "1", "--json"])).stdout);
  const resumed = await speckit.run(["resume", list[0].runId, "--json"]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ status: "succeeded", pushed: true });
});

test("a run that nobody carries is cancelled at once, and a second cancel finds it so", async () => {
  const stored = await speckit.run([
    "submit",
    remote,
    "Add a page nobody wants",
    "--agent",
    "scripted",
    "--json",
  ]);
  const { runId } = JSON.parse(stored.stdout);
  const cancelled = await speckit.run(["cancel", runId, "--json"]);
  expect(cancelled.exitCode, cancelled.stderr).toBe(0);
  const result = JSON.parse(cancelled.stdout);
  expect(result).toMatchObject({ status: "cancelled", pushed: false });
  expect(result.phases.slice(0, 5).map((phase: { status: string }) => phase.status)).toEqual(
    Array.from({ length: 5 }, () => "cancelled"),
  );
  expect((await speckit.run(["cancel", runId])).exitCode).toBe(0);
  const unknown = await speckit.run(["cancel", "00000000-0000-4000-8000-000000000000"]);
  expect(unknown.exitCode).toBe(2);
});

test("with --cancel-on-interrupt Ctrl-C cancels the run", async () => {
  const running = speckit.start([
    "run",
    remote,
    "Add a page to cancel",
    "--agent",
    "scripted",
    "--cancel-on-interrupt",
    "--json",
  ]);
  await planIsRunning();
  running.kill("SIGINT");
  const done = await running.result;
  expect(done.exitCode, done.stderr).toBe(1);
  const result = JSON.parse(done.stdout);
  expect(result).toMatchObject({ status: "cancelled", pushed: false });
  expect(result.phases.map((phase: { status: string }) => phase.status)).toEqual([
    "succeeded",
    "succeeded",
    "cancelled",
    "cancelled",
    "cancelled",
    "cancelled",
    "succeeded",
  ]);
  expect(await git(remote, "branch", "--list", result.branch)).toBe("");
});
