import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { git } from "@speckit/testkit";
import { expect, test } from "vitest";
import {
  expectArtifacts,
  type OpenWorkshop,
  phaseOf,
  requestFor,
  untilClosed,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };
const SCRIPTED = fileURLToPath(new URL("../../agents/scripted.mjs", import.meta.url));

const retry = (open: OpenWorkshop, runId: string, commandId: string = randomUUID()) =>
  open.orchestrator.command({ schemaVersion: 1, commandId, runId, command: "retry" });

/** An agent that leaves nothing in `plan` until somebody has mended it. */
function mendable(name: string) {
  const mended = join(here.folder, `${name}.mended`);
  const script = `[ "$SPECKIT_PHASE" != plan ] || [ -e "${mended}" ] || exit 0; exec "${process.execPath}" "${SCRIPTED}"`;
  return {
    open: () => here.open(name, { agentCommand: ["sh", "-c", script] }),
    mend: () => writeFile(mended, ""),
  };
}

test("a retry goes on from the last good phase: on the same branch, with nothing done twice", async () => {
  const remote = await here.remote();
  const agent = mendable("mended");
  await using open = agent.open();
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(
    requestFor(remote.path, { agent: { backend: "command" }, idempotencyKey: "one" }),
  );
  const failed = await untilClosed(open.orchestrator, run.runId);
  expect(failed).toMatchObject({ status: "failed", failure: { code: "POSTCONDITION_FAILED" } });

  await agent.mend();
  const commandId = randomUUID();
  expect(await retry(open, run.runId, commandId)).toEqual({ isNew: true, newRunId: commandId });
  expect(await retry(open, run.runId, commandId)).toEqual({ isNew: false, newRunId: commandId });
  const result = await untilClosed(open.orchestrator, commandId);
  expect(result).toMatchObject({
    status: "succeeded",
    retryOf: run.runId,
    branch: failed.branch,
    featureDirectory: failed.featureDirectory,
    baseSha: failed.baseSha,
    pushed: true,
  });
  expect(result.phases.map((phase) => `${phase.name} ${phase.status} ${phase.attempt}`)).toEqual([
    "prepare skipped 0",
    "specify skipped 0",
    "plan succeeded 1",
    "tasks succeeded 1",
    "publish succeeded 1",
    "pull_request succeeded 1",
    "cleanup succeeded 1",
  ]);
  expect(await remote.starts()).toEqual(["specify 1", "plan 1", "tasks 1"]);
  const log = await git(remote.path, "log", "--format=%s", `${result.baseSha}..${result.branch}`);
  expect(log.split("\n")).toHaveLength(3);
  expect(await git(remote.path, "rev-parse", `${result.branch}~2`)).toBe(failed.headSha);
  await expectArtifacts(open.stateDir, result);
  expect(await open.orchestrator.result(run.runId)).toEqual(failed);
});

test("a retry on another machine needs nothing but the database and the remote", async () => {
  const remote = await here.remote();
  const agent = mendable("elsewhere");
  let runId = "";
  {
    await using open = agent.open();
    await using _worker = await open.orchestrator.work(WORK);
    const request = requestFor(remote.path, { agent: { backend: "command" } });
    runId = (await open.orchestrator.submit(request)).run.runId;
    await untilClosed(open.orchestrator, runId);
  }
  await using open = here.open("another-machine", {
    agentCommand: [process.execPath, SCRIPTED],
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { newRunId = "" } = await retry(open, runId);
  expect(await untilClosed(open.orchestrator, newRunId)).toMatchObject({ status: "succeeded" });
});

test("a cancelled run can be retried from its beginning; one that succeeded, or goes on, cannot", async () => {
  const remote = await here.remote();
  await using open = here.open("from-the-beginning");
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await expect(retry(open, run.runId)).rejects.toMatchObject({ code: "RUN_NOT_RETRYABLE" });
  await expect(retry(open, randomUUID())).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  await open.orchestrator.cancel(run.runId);
  await using _worker = await open.orchestrator.work(WORK);
  await untilClosed(open.orchestrator, run.runId);
  const { newRunId = "" } = await retry(open, run.runId);
  const result = await untilClosed(open.orchestrator, newRunId);
  expect(result).toMatchObject({ status: "succeeded" });
  expect(phaseOf(result, "prepare")).toMatchObject({ status: "succeeded", attempt: 1 });
  await expect(retry(open, newRunId)).rejects.toMatchObject({ code: "RUN_NOT_RETRYABLE" });
});

test("a retry that is cancelled tells its own phases as cancelled, and the other run's as skipped", async () => {
  const remote = await here.remote();
  const agent = mendable("cancelled-retry");
  await using open = agent.open();
  const request = requestFor(remote.path, { agent: { backend: "command" } });
  const { run } = await open.orchestrator.submit(request);
  {
    await using _worker = await open.orchestrator.work(WORK);
    await untilClosed(open.orchestrator, run.runId);
  }
  const { newRunId = "" } = await retry(open, run.runId);
  await open.orchestrator.cancel(newRunId);
  await using _worker = await open.orchestrator.work(WORK);
  const result = await untilClosed(open.orchestrator, newRunId);
  expect(result.phases.slice(0, 4).map((phase) => phase.status)).toEqual([
    "skipped",
    "skipped",
    "cancelled",
    "cancelled",
  ]);
});
