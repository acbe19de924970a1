import { randomUUID } from "node:crypto";
import { eventually } from "@speckit/testkit";
import { expect, test } from "vitest";
import { acceptCommand } from "../../src/application/accept-command.ts";
import { acceptRequest } from "../../src/application/accept-request.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import { type MetricsRecorder, metricsRecorder } from "../../src/testing/metrics-recorder.ts";
import { eventsOf, requestFor, untilClosed, untilEvent, workshop } from "./workshop.ts";

const here = await workshop({ fencedByHand: true });
const WORK = { slots: 2, hostname: "here" };

/** How often a phase was told to have ended like this. */
const ends = ({ told }: MetricsRecorder, phase: string, became: string) =>
  told
    .filter(({ name, tags }) => name === "phase_duration_ms" && tags.phase === phase)
    .filter(({ tags }) => tags.became === became).length;

const untilCounted = (recorder: MetricsRecorder, name: string, tags = {}) =>
  eventually(`${name} is counted`, () => recorder.counted(name, tags), Boolean, {
    withinMs: 40_000,
  });

test("a run is counted from its first wake-up to its end, and no number names it", async () => {
  const recorder = metricsRecorder();
  const remote = await here.remote({ plan: { omit: ["research.md"], onlyAttempts: [1] } });
  // So long that no lease is lost on a machine that is busy.
  const settings = { leaseMs: 60_000 };
  await using open = here.open("counted", { metrics: recorder.metrics, settings });
  const worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilClosed(open.orchestrator, run.runId);
  await untilCounted(recorder, "runs_ended");
  await worker.drain();

  const { counted, told } = recorder;
  expect(counted("wake_ups", { became: "claimed" })).toBe(1);
  expect(counted("retries")).toBe(1);
  expect(counted("retries", { class: "invalid_output" })).toBe(1);
  expect(counted("runs_ended")).toBe(1);
  expect(counted("runs_ended", { outcome: "succeeded" })).toBe(1);
  expect(counted("events_sent")).toBe((await eventsOf(open.orchestrator, run.runId)).length);
  for (const phase of ["prepare", "specify", "plan", "tasks", "publish", "pull_request"]) {
    expect(ends(recorder, phase, "succeeded"), phase).toBe(1);
  }
  expect(ends(recorder, "plan", "failed")).toBe(1);
  const durations = told.filter(({ name }) => name === "run_duration_ms");
  expect(durations).toMatchObject([{ tags: { outcome: "succeeded" } }]);
  expect(durations[0]?.value).toBeGreaterThan(0);
  const inHand = told.filter(({ name }) => name === "runs_in_hand").map(({ value }) => value);
  expect(inHand).toContain(1);
  expect(inHand.at(-1)).toBe(0);
  for (const name of ["takeovers", "leases_lost", "fenced_writes", "renewals_failed"]) {
    expect(counted(name), name).toBe(0);
  }
  expect(JSON.stringify(told)).not.toMatch(new RegExp(`${run.runId}|${run.branch}|${remote.path}`));
});

test("a lease that cannot be renewed is a loss by silence, and the run's next claim a takeover", async () => {
  const recorder = metricsRecorder();
  const remote = await here.remote({ specify: { onlyAttempts: [1], sleepMs: 60_000 } });
  let isCut = false;
  await using open = here.open("cut-off", {
    metrics: recorder.metrics,
    settings: { leaseMs: 3_000 },
    runs: (runs) => ({
      ...runs,
      async renewLeases(holds, leaseMs) {
        if (isCut) {
          throw new SpeckitError("DATABASE_UNAVAILABLE", "cut off");
        }
        return runs.renewLeases(holds, leaseMs);
      },
    }),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message specify 1");
  isCut = true;
  await untilCounted(recorder, "leases_lost");
  isCut = false;
  await untilClosed(open.orchestrator, run.runId);
  await untilCounted(recorder, "runs_ended");
  expect(recorder.counted("leases_lost", { how: "silence" })).toBeGreaterThan(0);
  expect(recorder.counted("leases_lost", { how: "refused" })).toBe(0);
  expect(recorder.counted("renewals_failed")).toBeGreaterThan(0);
  expect(recorder.counted("takeovers")).toBeGreaterThan(0);
  expect(recorder.counted("sweeps")).toBeGreaterThan(0);
  expect(recorder.counted("runs_swept", { became: "woken" })).toBeGreaterThan(0);
  expect(recorder.counted("retries", { class: "interrupted" })).toBeGreaterThan(0);
  expect(recorder.counted("runs_ended")).toBe(1);
});

test("a worker that finds another epoch when it writes counts a fenced write, one that finds it when it renews a lost lease", async () => {
  const moveOn = (runId: string) =>
    here.sql(
      `UPDATE spec_workflow_runs SET epoch = epoch + 1, lease_owner = NULL, lease_until = NULL
       WHERE id = $1`,
      [runId],
    );
  const writer = metricsRecorder();
  let fence = true;
  await using slow = here.open("fenced-writer", {
    metrics: writer.metrics,
    // Before this test's end it renews nothing.
    settings: { heartbeatMs: 200_000, leaseMs: 600_000 },
    runs: (runs) => ({
      ...runs,
      async startAttempt(hold, phase) {
        if (phase === "plan" && fence) {
          fence = false;
          await moveOn(hold.runId);
        }
        return runs.startAttempt(hold, phase);
      },
    }),
  });
  const quickRemote = await here.remote();
  {
    await using worker = await slow.orchestrator.work(WORK);
    const { run } = await slow.orchestrator.submit(requestFor(quickRemote.path));
    await untilCounted(writer, "fenced_writes");
    await eventually("the run is let go", () => worker.inHand() === 0);
    await slow.orchestrator.wake(run.runId);
    await untilClosed(slow.orchestrator, run.runId);
  }
  expect(writer.counted("fenced_writes")).toBe(1);
  expect(writer.counted("leases_lost")).toBe(0);

  const renewer = metricsRecorder();
  const slowRemote = await here.remote({ plan: { onlyAttempts: [1], sleepMs: 60_000 } });
  await using quick = here.open("fenced-renewer", { metrics: renewer.metrics });
  await using worker = await quick.orchestrator.work(WORK);
  const { run } = await quick.orchestrator.submit(requestFor(slowRemote.path));
  await untilEvent(quick.orchestrator, run.runId, "phase.message plan 1");
  await moveOn(run.runId);
  await untilCounted(renewer, "leases_lost", { how: "refused" });
  await eventually("the run is let go", () => worker.inHand() === 0);
  await quick.orchestrator.wake(run.runId);
  await untilClosed(quick.orchestrator, run.runId);
  expect(renewer.counted("leases_lost", { how: "silence" })).toBe(0);
});

test("what comes through the door is counted by what became of it, and refused ones as dead letters by code", async () => {
  const { metrics, counted } = metricsRecorder();
  await using open = here.open("door", { metrics });
  const deps = { ...open.deps, deploymentId: "test" };
  const { signal } = new AbortController();
  const from = (body: string) => ({
    body: Buffer.from(body),
    replyTo: undefined,
    correlationId: undefined,
  });
  const accept = (body: string) => acceptRequest(deps, { kind: "request", ...from(body) }, signal);
  const command = (body: string) => acceptCommand(deps, { kind: "command", ...from(body) }, signal);
  const request = requestFor("/nowhere/at/all");
  const good = JSON.stringify(request);
  await accept(good);
  await accept(good);
  await accept("not JSON");
  await accept(JSON.stringify({ ...JSON.parse(good), specifyText: 7 }));
  const cancel = { schemaVersion: 1, command: "cancel", commandId: randomUUID() };
  await command(JSON.stringify({ ...cancel, runId: request.runId }));
  await command(JSON.stringify({ ...cancel, commandId: randomUUID(), runId: randomUUID() }));
  await command("{}");
  expect(counted("commands", { became: "taken" })).toBe(1);
  expect(counted("commands", { became: "refused" })).toBe(2);
  expect(counted("requests", { became: "accepted" })).toBe(1);
  expect(counted("requests", { became: "known" })).toBe(1);
  expect(counted("requests", { became: "refused" })).toBe(2);
  expect(counted("dead_letters", { code: "REQUEST_NOT_JSON" })).toBe(1);
  // A request and a command.
  expect(counted("dead_letters", { code: "REQUEST_INVALID" })).toBe(2);
  expect(counted("dead_letters")).toBe(3);
});

test("a run that asks is counted as paused, not as tried again", async () => {
  const recorder = metricsRecorder();
  const remote = await here.remote({ specify: { askQuestion: "Which provider?" } });
  await using open = here.open("asking", { metrics: recorder.metrics });
  await using _worker = await open.orchestrator.work(WORK);
  const request = requestFor(remote.path, { onQuestions: "pause" });
  const { run } = await open.orchestrator.submit(request);
  await untilCounted(recorder, "pauses");
  expect(recorder.counted("retries")).toBe(0);
  await open.orchestrator.cancel(run.runId);
  await untilCounted(recorder, "runs_ended", { outcome: "cancelled" });
  expect(recorder.counted("pauses")).toBe(1);
});
