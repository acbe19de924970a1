import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { eventually, statsdListener } from "@speckit/testkit";
import { afterAll, expect, test } from "vitest";
import { createGateway } from "../../src/adapters/gateway/index.ts";
import { statsdMetrics } from "../../src/adapters/statsd/index.ts";
import { acceptCommand } from "../../src/application/accept-command.ts";
import { acceptRequest } from "../../src/application/accept-request.ts";
import { reapJobs } from "../../src/application/reap-jobs.ts";
import { retainEvidence } from "../../src/application/retain-evidence.ts";
import { watchFreeSpace } from "../../src/application/watch-free-space.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import { METRICS, type Metrics } from "../../src/ports/metrics.ts";
import type { ModelGateway } from "../../src/ports/model-gateway.ts";
import { type MetricsRecorder, metricsRecorder } from "../../src/testing/metrics-recorder.ts";
import { ALLOWED, openEgressBench, secured } from "../adapters/gateway/fixtures/egress-bench.ts";
import { complete, refuse, startProvider } from "../adapters/gateway/fixtures/provider.ts";
import { recordingLogger } from "../adapters/rabbitmq/recording-logger.ts";
import { readDatagram } from "../adapters/statsd/read-datagram.ts";
import { callingAgent } from "./calling-agent.ts";
import { eventsOf, requestFor, untilClosed, untilEvent, workshop } from "./workshop.ts";

const here = await workshop({ fencedByHand: true });
const WORK = { slots: 2, hostname: "here" };

/** A StatsD server that hears whatever the tests of this file bring about. */
const statsd = await statsdListener();
const sent = statsdMetrics({
  host: "127.0.0.1",
  port: statsd.port,
  logger: recordingLogger().logger,
});
afterAll(async () => {
  await sent[Symbol.asyncDispose]();
  await statsd[Symbol.asyncDispose]();
});

/** Kept in memory for the test, and sent. */
function told(): MetricsRecorder {
  const recorder = metricsRecorder();
  const { metrics } = recorder;
  const both: Metrics = {
    count(name, tags, by) {
      metrics.count(name, tags, by);
      sent.count(name, tags, by);
    },
    timing(name, ms, tags) {
      metrics.timing(name, ms, tags);
      sent.timing(name, ms, tags);
    },
    gauge(name, value, tags) {
      metrics.gauge(name, value, tags);
      sent.gauge(name, value, tags);
    },
  };
  return { ...recorder, metrics: both };
}

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
  const recorder = told();
  const remote = await here.remote({ plan: { omit: ["research.md"], onlyAttempts: [1] } });
  // So long that no lease is lost on a machine that is busy.
  const settings = { leaseMs: 60_000 };
  await using open = here.open("counted", { metrics: recorder.metrics, settings });
  const worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilClosed(open.orchestrator, run.runId);
  await untilCounted(recorder, "runs_ended");
  await worker.drain();

  const { counted, told: all } = recorder;
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
  expect(counted("jobs_started", { runtime: "process" })).toBe(4);
  expect(counted("cleanups", { became: "closed" })).toBe(1);
  expect(all.filter(({ name }) => name === "queue_wait_ms")).toHaveLength(1);
  const durations = all.filter(({ name }) => name === "run_duration_ms");
  expect(durations).toMatchObject([{ tags: { outcome: "succeeded" } }]);
  expect(durations[0]?.value).toBeGreaterThan(0);
  const inHand = all.filter(({ name }) => name === "runs_in_hand").map(({ value }) => value);
  expect(inHand).toContain(1);
  expect(inHand.at(-1)).toBe(0);
  for (const name of ["takeovers", "leases_lost", "fenced_writes", "renewals_failed"]) {
    expect(counted(name), name).toBe(0);
  }
  expect(JSON.stringify(all)).not.toMatch(new RegExp(`${run.runId}|${run.branch}|${remote.path}`));
});

test("a lease that cannot be renewed is a loss by silence, and the run's next claim a takeover", async () => {
  const recorder = told();
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
  const writer = told();
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

  const renewer = told();
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
  const { metrics, counted } = told();
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
  const recorder = told();
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

test("a provider's limit is a rest of its key and of the run; what a gateway answers is counted", async () => {
  const recorder = told();
  const { metrics, counted } = recorder;
  await using provider = await startProvider();
  let calls = 0;
  provider.answer = (response, request) => {
    calls += 1;
    const limited = refuse(429, { code: "rate_limit_exceeded" }, { "retry-after": "1" });
    return (calls === 1 ? limited : complete())(response, request);
  };
  const remote = await here.remote();
  const gateways = new Map<string, ModelGateway>();
  await using open = here.open("limited", { metrics, backend: callingAgent(), gateways });
  const { credentials, clock, logger } = open.deps;
  const upstream = { baseUrl: provider.baseUrl, apiKeys: ["sk-real"], credential: "codex" };
  await using gateway = await createGateway({
    upstreams: { openai: upstream },
    credentials: credentials ?? expect.fail("no credentials"),
    clock,
    logger,
    metrics,
  });
  gateways.set("codex", gateway);
  await using _worker = await open.orchestrator.work(WORK);
  const calling = { agent: { backend: "calling" }, phases: ["specify"] };
  const { run } = await open.orchestrator.submit(requestFor(remote.path, calling));
  await untilClosed(open.orchestrator, run.runId);
  const attempt = { runId: run.runId, phase: "specify", attempt: 9, expiresInMs: 60_000 } as const;
  await using access = await gateway.open({ ...attempt, limits: {} });
  await fetch(`${access.baseUrl}/models`, { headers: { authorization: "Bearer wrong" } });
  expect(counted("key_rests", { reason: "rate_limited" })).toBe(1);
  expect(counted("cool_downs")).toBeGreaterThan(0);
  expect(counted("model_calls", { provider: "openai", became: "completed" })).toBe(1);
  expect(counted("model_tokens", { kind: "output" })).toBeGreaterThan(0);
  expect(counted("gateway_refusals", { reason: "unknown_token" })).toBe(1);
});

test("a tunnel out is counted with its bytes", async () => {
  const recorder = told();
  await using bench = await openEgressBench(here.databaseUrl, {
    isPatient: true,
    metrics: recorder.metrics,
  });
  const { egress } = await bench.served.attempt();
  const { socket } = await bench.connect(egress, `${ALLOWED}:${bench.tlsPort}`);
  const tls = await secured(socket, ALLOWED);
  tls.end("out and back").resume();
  await untilCounted(recorder, "egress_bytes", { way: "up" });
  expect(recorder.counted("egress_requests", { became: "passed" })).toBe(1);
});

test("what is deleted is counted, and a volume that is nearly full, and containers that nothing explains", async () => {
  const { metrics, counted, told: all } = told();
  const remote = await here.remote();
  await using open = here.open("retained", { metrics });
  {
    await using _worker = await open.orchestrator.work(WORK);
    const request = requestFor(remote.path, { phases: ["specify"] });
    const { run } = await open.orchestrator.submit(request);
    await untilClosed(open.orchestrator, run.runId);
    await here.sql(
      `UPDATE spec_workflow_runs SET finished_at = finished_at - interval '500 days',
         artifacts_expire_at = artifacts_expire_at - interval '500 days' WHERE id = $1`,
      [run.runId],
    );
  }
  const { signal } = new AbortController();
  await retainEvidence(open.deps, signal);
  expect(counted("artifacts_deleted")).toBe(1);
  expect(counted("artifact_bytes_deleted")).toBeGreaterThan(1_000);
  await here.sql(
    "UPDATE spec_workflow_runs SET artifacts_deleted_at = artifacts_deleted_at - interval '2 days'",
  );
  await retainEvidence(open.deps, signal);
  expect(counted("runs_deleted")).toBe(1);
  await rm(join(open.stateDir, "artifacts"), { recursive: true });

  const short = { ...open.deps, freeSpace: async () => 1 };
  await watchFreeSpace(
    short,
    async () => {},
    () => {},
  ).look();
  expect(counted("intake_pauses")).toBe(1);
  expect(all.filter(({ name }) => name === "state_free_bytes")).not.toEqual([]);

  const stranger = { runId: randomUUID(), phase: "plan", attempt: 1, ageMs: 200_000 } as const;
  const engine = { list: async () => [stranger], remove: async () => {} };
  const runtime = Object.assign(Object.create(open.deps.runtime), { engine });
  await reapJobs({ ...open.deps, runtime });
  expect(counted("jobs_reaped")).toBe(1);
});

test("every metric of the table has come to the StatsD server, and nothing else, with no run's name in it", async () => {
  const names = () => new Set(statsd.datagrams.map((text) => readDatagram(text, "speckit.").name));
  const table = Object.keys(METRICS).sort();
  await eventually(
    "the last one has come",
    () => names().size,
    (size) => size >= table.length,
  );
  expect([...names()].sort()).toEqual(table);
  const { rows } = await here.sql("SELECT id, branch, repository FROM spec_workflow_runs");
  const all = statsd.datagrams.join("\n");
  expect(rows.length).toBeGreaterThan(3);
  for (const { id, branch, repository } of rows) {
    expect([id, branch, repository].filter((word) => all.includes(word))).toEqual([]);
  }
  for (const text of statsd.datagrams) {
    const { name, kind, tags } = readDatagram(text, "speckit.");
    const facts = METRICS[name as keyof typeof METRICS];
    expect(kind, text).toBe(facts.kind);
    expect(Object.keys(tags), text).toEqual(Object.keys(facts.tags));
    for (const [tag, value] of Object.entries(tags)) {
      expect((facts.tags as Record<string, readonly string[]>)[tag], text).toContain(value);
    }
  }
});
