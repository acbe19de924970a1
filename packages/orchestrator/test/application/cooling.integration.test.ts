import { randomUUID } from "node:crypto";
import { eventually } from "@speckit/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGateway } from "../../src/adapters/gateway/index.ts";
import type { ModelGateway } from "../../src/ports/model-gateway.ts";
import {
  complete,
  type Provider,
  type ProviderAnswer,
  refuse,
  startProvider,
} from "../adapters/gateway/fixtures/provider.ts";
import { callingAgent } from "./calling-agent.ts";
import {
  eventsOf,
  named,
  type OpenWorkshop,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const CALLING = { agent: { backend: "calling" } };

let provider: Provider;
/** When the provider was asked, and what it said. */
let asked: { readonly atMs: number; readonly status: number }[];
beforeEach(async () => {
  asked = [];
  provider = await startProvider();
  await here.sql("DELETE FROM spec_workflow_credentials");
});
afterEach(() => provider[Symbol.asyncDispose]());

/** Answers the first call so, every later one well. */
function answersFirst(first: ProviderAnswer): void {
  provider.answer = async (response, request) => {
    const answer = asked.length === 0 ? first : complete();
    const call = { atMs: performance.now(), status: 0 };
    asked.push(call);
    await answer(response, request);
    asked[asked.indexOf(call)] = { ...call, status: response.statusCode };
  };
}

/** A deployment whose agents call the provider through a gateway. */
async function deployment(name: string): Promise<OpenWorkshop> {
  const gateways = new Map<string, ModelGateway>();
  const open = here.open(name, { backend: callingAgent(), gateways });
  const gateway = await createGateway({
    upstreams: {
      openai: { baseUrl: provider.baseUrl, apiKeys: ["sk-real"], credential: "codex" },
    },
    credentials: open.deps.credentials!,
    clock: open.deps.clock,
    logger: open.deps.logger,
  });
  gateways.set("codex", gateway);
  return {
    ...open,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await open[Symbol.asyncDispose]();
    },
  };
}

const command = (open: OpenWorkshop, runId: string, name: "resume" | "cancel") =>
  open.orchestrator.command({
    schemaVersion: 1,
    commandId: randomUUID(),
    runId,
    command: name,
  });

test("a provider that asks to wait is asked by no run before the time, and no run fails or pays for it", async () => {
  const waitMs = 5_000;
  answersFirst(refuse(429, { code: "rate_limit_exceeded" }, { "retry-after": "5" }));
  const remote = await here.remote();
  await using open = await deployment("many");
  await using _worker = await open.orchestrator.work({ slots: 3, hostname: "here" });
  const first = await open.orchestrator.submit(requestFor(remote.path, CALLING));
  await eventually("the provider has asked to wait", () => asked.at(0)?.status === 429);
  const told = asked[0]!.atMs;
  const others = await Promise.all(
    Array.from({ length: 2 }, () => open.orchestrator.submit(requestFor(remote.path, CALLING))),
  );
  const ids = [first, ...others].map(({ run }) => run.runId);
  await untilEvent(open.orchestrator, ids[1]!, "run.cooling specify");
  expect(await open.orchestrator.result(ids[1]!)).toMatchObject({
    status: "in_progress",
    waitingFor: "credential",
    nextLookAt: expect.any(String),
  });
  const results = await Promise.all(ids.map((id) => untilClosed(open.orchestrator, id)));

  expect(results.map(({ status }) => status)).toEqual(ids.map(() => "succeeded"));
  expect(asked.length).toBe(1 + 3 * ids.length);
  expect(asked[1]!.atMs - told).toBeGreaterThan(waitMs - 100);
  // The run that was told opened an attempt; the others rested before one.
  expect(results.map((result) => phaseOf(result, "specify")?.attempt)).toEqual([2, 1, 1]);
  const events = await eventsOf(open.orchestrator, ids[0]!);
  const failed = events.find(({ type }) => type === "phase.failed");
  expect(failed?.data).toMatchObject({
    failure: { code: "RATE_LIMITED", class: "rate_limited", resetsAt: expect.any(String) },
  });
  expect(named(events)).not.toContain("run.waiting specify");
  const cooling = events.find(({ type }) => type === "run.cooling");
  expect(cooling?.data).toMatchObject({ credential: "codex" });
  const dueMs = cooling!.createdAt.getTime() + Number(cooling!.data.coolDownMs);
  const { resetsAt } = failed!.data.failure as { readonly resetsAt: string };
  expect(dueMs).toBeGreaterThanOrEqual(Date.parse(resetsAt));
});

test("a wait that would be too long ends the run at once, with the time it would take", async () => {
  answersFirst(refuse(429, { type: "usage_limit_reached", resets_in_seconds: 100_000 }));
  const remote = await here.remote();
  await using open = await deployment("too-long");
  await using _worker = await open.orchestrator.work({ slots: 1, hostname: "here" });
  const { run } = await open.orchestrator.submit(requestFor(remote.path, CALLING));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "failed",
    failure: { code: "QUOTA_WAIT_TOO_LONG", resetsAt: expect.any(String) },
  });
  expect(phaseOf(result, "specify")).toMatchObject({
    attempt: 1,
    failure: { code: "QUOTA_EXHAUSTED" },
  });
  // The others find the credential at rest, and are told the same without an attempt.
  const other = await open.orchestrator.submit(requestFor(remote.path, CALLING));
  const second = await untilClosed(open.orchestrator, other.run.runId);
  expect(second).toMatchObject({ status: "failed", failure: { code: "QUOTA_WAIT_TOO_LONG" } });
  expect(phaseOf(second, "prepare")).toMatchObject({ status: "succeeded" });
  expect(phaseOf(second, "specify")).toMatchObject({ status: "skipped", attempt: 0 });
  expect(asked.length).toBe(1);
});

test("a run at rest hears of a cancel, and of no `resume` before its credential may be used", async () => {
  answersFirst(complete());
  const remote = await here.remote();
  await using open = await deployment("at-rest");
  await using _worker = await open.orchestrator.work({ slots: 2, hostname: "here" });
  await open.deps.credentials!.coolDown("codex", 600_000, "quota");
  const { run } = await open.orchestrator.submit(requestFor(remote.path, CALLING));
  await untilEvent(open.orchestrator, run.runId, "run.cooling specify");
  const before = await open.orchestrator.find(run.runId);
  expect(before).toMatchObject({ parkedFor: "credential", credential: "codex", leaseOwner: null });
  await command(open, run.runId, "resume");
  const after = await open.orchestrator.find(run.runId);
  expect(after!.dueAt.getTime() - Date.now()).toBeGreaterThan(580_000);
  expect(after!.dueAt.getTime()).toBeLessThanOrEqual(before!.dueAt.getTime());
  await command(open, run.runId, "cancel");
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "cancelled" });
  expect(asked).toEqual([]);
});

test("a run goes on when an operator has ended the cool-down and says `resume`", async () => {
  answersFirst(complete());
  const remote = await here.remote();
  await using open = await deployment("ended-early");
  await using _worker = await open.orchestrator.work({ slots: 2, hostname: "here" });
  await open.deps.credentials!.coolDown("codex", 600_000, "quota");
  const { run } = await open.orchestrator.submit(requestFor(remote.path, CALLING));
  await untilEvent(open.orchestrator, run.runId, "run.cooling specify");
  await here.sql("DELETE FROM spec_workflow_credentials");
  await command(open, run.runId, "resume");
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "succeeded" });
});
