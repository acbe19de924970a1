import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, git, processesWith } from "@speckit/testkit";
import { expect, test } from "vitest";
import {
  eventsOf,
  expectArtifacts,
  named,
  namesOf,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };
/** No other process on this machine sleeps for so long. */
const UNIQUE_SECONDS = `28${process.pid}`;

test("a run that nobody has claimed yet is cancelled before anything starts", async () => {
  const remote = await here.remote();
  await using open = here.open("queued");
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  expect(await open.orchestrator.cancel(run.runId)).toBe(true);
  await using _worker = await open.orchestrator.work(WORK);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result.phases.map((phase) => `${phase.name} ${phase.status} ${phase.attempt}`)).toEqual([
    "prepare cancelled 0",
    "specify cancelled 0",
    "plan cancelled 0",
    "tasks cancelled 0",
    "publish cancelled 0",
    "pull_request cancelled 0",
    "cleanup succeeded 1",
  ]);
  expect(await open.orchestrator.cancel(run.runId)).toBe(false);
});

test("while an agent works: it is ended with all it started, its output is kept, nothing is pushed", async () => {
  const remote = await here.remote({
    plan: { spawn: `setsid sleep ${UNIQUE_SECONDS}`, sleepMs: 60_000 },
  });
  await using open = here.open("working");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message plan 1");
  await eventually("the agent's child runs", async () => {
    return (await processesWith(`sleep\0${UNIQUE_SECONDS}`)).length > 0;
  });
  await open.orchestrator.cancel(run.runId);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "cancelled", pushed: false });
  expect(phaseOf(result, "plan")).toMatchObject({ status: "cancelled", attempt: 1 });
  expect(await processesWith(`sleep\0${UNIQUE_SECONDS}`)).toEqual([]);
  expect(namesOf(result)).toEqual(
    expect.arrayContaining(["plan-1/prompt.md", "plan-1/stdout.log", "checkpoint.bundle"]),
  );
  await expectArtifacts(open.stateDir, result);
  expect(await git(remote.path, "branch", "--list", result.branch)).toBe("");
});

test("an agent that talks to its end: nothing of an attempt is told after its end, and the run is closed at once", async () => {
  const remote = await here.remote();
  const talk = "while :; do echo talking; sleep 0.02; done";
  await using open = here.open("talking", { agentCommand: ["sh", "-c", talk] });
  await using _worker = await open.orchestrator.work(WORK);
  for (let runs = 0; runs < 3; runs += 1) {
    const agent = { backend: "command" };
    const { run } = await open.orchestrator.submit(requestFor(remote.path, { agent }));
    await untilEvent(open.orchestrator, run.runId, "phase.message specify 1");
    await open.orchestrator.cancel(run.runId);
    await untilClosed(open.orchestrator, run.runId);
    const names = named(await eventsOf(open.orchestrator, run.runId));
    const end = names.indexOf("phase.cancelled specify 1");
    expect(end).toBeGreaterThan(0);
    expect(names.lastIndexOf("phase.message specify 1")).toBeLessThan(end);
    const { rows } = await here.sql(
      "SELECT cleaned_at - finished_at < interval '5 seconds' AS soon FROM spec_workflow_runs WHERE id = $1",
      [run.runId],
    );
    expect(rows).toEqual([{ soon: true }]);
  }
});

test("in a back-off: without waiting for the next try", async () => {
  const remote = await here.remote({ specify: { exitCode: 1 } });
  await using open = here.open("waiting");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "run.waiting specify");
  await open.orchestrator.cancel(run.runId);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result.status).toBe("cancelled");
  expect(phaseOf(result, "specify")).toMatchObject({ status: "failed", attempt: 1 });
  expect(await remote.starts()).toEqual(["specify 1"]);
});

test("during the push: the push is finished, and the result says that the branch is there", async () => {
  const remote = await here.remote();
  const [begun, go] = [join(here.folder, "push-begun"), join(here.folder, "push-go")];
  const hook = join(remote.path, "hooks", "pre-receive");
  await writeFile(hook, `#!/bin/sh\n: > ${begun}\nwhile [ ! -e ${go} ]; do sleep 0.05; done\n`);
  await chmod(hook, 0o755);
  await using open = here.open("pushing");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await eventually("the push has begun", () => existsSync(begun), Boolean, { withinMs: 20_000 });
  await open.orchestrator.cancel(run.runId);
  const { heartbeatMs } = open.deps.settings;
  const seen = await here.sql("SELECT clock_timestamp() AS at");
  await eventually("two heartbeats since", async () => {
    const { rows } = await here.sql(
      `SELECT 1 FROM spec_workflow_runs WHERE id = $1
       AND lease_until > $2::timestamptz + $3 * interval '1 millisecond'`,
      [run.runId, seen.rows[0].at, open.deps.settings.leaseMs + 2 * heartbeatMs],
    );
    return rows.length > 0;
  });
  await writeFile(go, "");
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "cancelled", pushed: true });
  expect(await git(remote.path, "rev-parse", result.branch)).toBe(result.headSha);
});

test("the owner of a cancelled run hears of it at once, not with its next heartbeat", async () => {
  const remote = await here.remote({ specify: { sleepMs: 60_000 } });
  const slowBeat = { leaseMs: 600_000, heartbeatMs: 200_000 };
  await using open = here.open("hint", { settings: slowBeat });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message specify 1");
  await open.orchestrator.cancel(run.runId);
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "cancelled" });
});
