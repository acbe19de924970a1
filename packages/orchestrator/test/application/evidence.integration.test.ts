import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@speckit/testkit";
import { expect, test } from "vitest";
import { agentEventLog } from "../../src/application/agent-event-log.ts";
import { fencedError, SpeckitError } from "../../src/domain/speckit-error.ts";
import type { RunRepository } from "../../src/ports/run-repository.ts";
import {
  eventsOf,
  expectArtifacts,
  namesOf,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };
const USAGE = '{"type":"usage","inputTokens":100,"outputTokens":10,"costUsd":0.5}';

test("an attempt whose tree is refused has cost something and left its output: both are kept", async () => {
  const remote = await here.remote();
  await using open = here.open("refused", {
    agentCommand: ["sh", "-c", `echo '${USAGE}'; mkfifo pipe`],
  });
  await using _worker = await open.orchestrator.work(WORK);
  const agent = { backend: "command" };
  const { run } = await open.orchestrator.submit(requestFor(remote.path, { agent }));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "failed", failure: { code: "WORKSPACE_REFUSED" } });
  expect(phaseOf(result, "specify")?.attempt).toBe(3);
  expect(result.usage).toMatchObject({ inputTokens: 300, outputTokens: 30, costUsd: 1.5 });
  for (const attempt of [1, 2, 3]) {
    expect(namesOf(result)).toEqual(
      expect.arrayContaining([`specify-${attempt}/prompt.md`, `specify-${attempt}/stdout.log`]),
    );
  }
  await expectArtifacts(open.stateDir, result);
});

test("an attempt that was interrupted by its worker's end keeps its output and its cost", async () => {
  const remote = await here.remote();
  const script = join(here.folder, "interrupted.sh");
  await writeFile(script, `echo '${USAGE}'; [ "$SPECKIT_ATTEMPT" != 1 ] || sleep 60\n`);
  await using open = here.open("interrupted", { agentCommand: ["sh", script] });
  const agent = { backend: "command" };
  const { run } = await open.orchestrator.submit(requestFor(remote.path, { agent }));
  const worker = await open.orchestrator.work(WORK);
  await untilEvent(open.orchestrator, run.runId, "phase.usage specify 1");
  await worker.drain();
  const result = await open.orchestrator.result(run.runId);
  expect(result.usage).toMatchObject({ inputTokens: 100, costUsd: 0.5 });
  expect(namesOf(result)).toContain("specify-1/stdout.log");
  await expectArtifacts(open.stateDir, result);
});

test("an agent's events are written once, also when the answer to a write was lost", async () => {
  const remote = await here.remote();
  await using open = here.open("events");
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const { runId } = run;
  const workerId = await open.deps.runs.registerWorker("here");
  await open.deps.runs.claimRun({ runId, workerId, leaseMs: 60_000 });
  const hold = { runId, epoch: 1 };
  const attempt = await open.deps.runs.startAttempt(hold, "prepare");
  let writes = 0;
  const runs: RunRepository = {
    ...open.deps.runs,
    async appendEvents(to, events) {
      writes += 1;
      // The first is carried out and not answered, the second is not even carried out.
      if (writes !== 2) {
        await open.deps.runs.appendEvents(to, events);
      }
      if (writes <= 2) {
        throw new SpeckitError("DATABASE_UNAVAILABLE", "the answer is lost");
      }
    },
  };
  const lease = { hold, lost: new AbortController().signal };
  const log = agentEventLog({
    ...open.deps,
    runs,
    lease,
    phase: "plan",
    attempt,
    onWritten: () => {},
  });
  const texts = async () =>
    (await eventsOf(open.orchestrator, runId))
      .filter((event) => event.type === "phase.message")
      .map((event) => event.data.text);
  log.add([
    { type: "message", text: "one" },
    { type: "message", text: "two" },
  ]);
  await eventually("the first write", texts, (told) => told.length === 2);
  log.add([{ type: "message", text: "three" }]);
  await eventually("the second write", () => writes === 2);
  log.add([{ type: "message", text: "four" }]);
  await log.close();
  expect(await texts()).toEqual(["one", "two", "three", "four"]);
  await here.sql("DELETE FROM spec_workflow_runs WHERE id = $1", [runId]);
});

test("what was wrong with a phase's output is told until the phase is done, also after an agent that crashed", async () => {
  const remote = await here.remote();
  const script = join(here.folder, "crash.sh");
  await writeFile(script, '[ "$SPECKIT_ATTEMPT" != 2 ] || exit 1\n');
  await using open = here.open("findings", { agentCommand: ["sh", script] });
  await using _worker = await open.orchestrator.work(WORK);
  const agent = { backend: "command" };
  const { run } = await open.orchestrator.submit(requestFor(remote.path, { agent }));
  await untilEvent(open.orchestrator, run.runId, "run.waiting specify");
  await here.sql("UPDATE spec_workflow_runs SET due_at = clock_timestamp() WHERE id = $1", [
    run.runId,
  ]);
  await open.orchestrator.wake(run.runId);
  await untilEvent(open.orchestrator, run.runId, "phase.failed specify 3");
  await untilClosed(open.orchestrator, run.runId);
  const [finding] = (await open.deps.runs.attemptsOf(run.runId)).flatMap((row) => row.findings);
  const prompt = (attempt: number) =>
    readFile(
      join(open.stateDir, "artifacts", run.runId, `specify-${attempt}`, "prompt.md"),
      "utf8",
    );
  expect(await prompt(1)).not.toContain(finding?.check);
  expect(await prompt(2)).toContain(finding?.check);
  expect(await prompt(3)).toContain(finding?.check);
});

test("a phase that is cut before its commit leaves no artifact that differs from its row", async () => {
  const remote = await here.remote();
  await using open = here.open("cut", {
    runs: (runs) => ({
      ...runs,
      async commitAttempt(hold, commit) {
        if (commit.end?.phase === "plan" && commit.end.state === "succeeded") {
          throw fencedError(hold.runId, hold.epoch);
        }
        return runs.commitAttempt(hold, commit);
      },
    }),
  });
  await using worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.started plan 1");
  await eventually("the run is let go", () => worker.inHand() === 0, Boolean, { withinMs: 20_000 });
  await here.sql("UPDATE spec_workflow_runs SET lease_until = clock_timestamp() WHERE id = $1", [
    run.runId,
  ]);
  await open.orchestrator.cancel(run.runId);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result.status).toBe("cancelled");
  expect(namesOf(result)).toContain("checkpoint.bundle");
  await expectArtifacts(open.stateDir, result);
});

test("a result that cannot be stored is a failure that spends the phase's budget, not an agent for every start", async () => {
  const remote = await here.remote();
  await using open = here.open("unstorable", {
    runs: (runs) => ({
      ...runs,
      async commitAttempt(hold, commit) {
        if (commit.end?.phase === "specify" && commit.end.state === "succeeded") {
          throw new Error("a value the database does not take");
        }
        return runs.commitAttempt(hold, commit);
      },
    }),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "run.waiting specify");
  expect(await open.deps.runs.attemptsOf(run.runId)).toMatchObject([
    { phase: "prepare", state: "succeeded" },
    { phase: "specify", state: "failed", failure: { code: "INTERNAL_ERROR" } },
  ]);
  expect(await remote.starts()).toEqual(["specify 1"]);
});
