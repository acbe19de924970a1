import { type MockModel, startMockModel } from "@speckit/mock-model";
import { freePort } from "@speckit/private-broker";
import { afterAll, beforeAll, describe, test } from "vitest";
import { bareCodex } from "./run-codex.ts";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

const prompt = "Say that you are done";

/** A scenario, how often Codex asks for the same turn, and what it says in the end. */
const FAILURES: readonly (readonly [scenario: string, requests: number, says: RegExp])[] = [
  // First, as it takes longest.
  ["e500", 30, /^We’re currently experiencing high demand/],
  ["e400", 1, /^\{"error":\{.*"code":"unsupported_value"/],
  ["e401", 6, /^unexpected status 401 Unauthorized: Incorrect API key provided\., url: /],
  ["e403", 6, /^unexpected status 403 Forbidden: Country, region, or territory not supported, url/],
  ["e404model", 1, /^The model `nope` does not exist or you do not have access to it\.$/],
  ["e429", 1, /^exceeded retry limit, last status: 429 Too Many Requests/],
  ["e429ra", 6, /^exceeded retry limit, last status: 429 Too Many Requests/],
  ["e429quota", 1, /^Quota exceeded\. Check your plan and billing details\.$/],
  ["e429usage", 1, /^You’ve hit your usage limit\..* try again at /],
  ["e503", 5, /^Selected model is at capacity\./],
  ["cut", 6, /^stream disconnected before completion: Transport error/],
  ["trunc", 6, /^stream disconnected before completion: stream closed before response\.completed$/],
  ["incomplete", 1, /^Incomplete response returned, reason: max_output_tokens$/],
  ["failed-server_error", 6, /^stream disconnected before completion: The server had an error\.$/],
  ["failed-rate_limit_exceeded", 6, /^rate limit exceeded: Rate limit reached/],
  ["failed-insufficient_quota", 1, /^Quota exceeded\./],
  ["failed-context_length_exceeded", 1, /^Codex ran out of room in the model's context window\./],
  ["failed-server_is_overloaded", 1, /^Selected model is at capacity\./],
  ["failed-invalid_prompt", 1, /^The prompt was refused\.$/],
];

describe.concurrent("a turn of Codex fails", () => {
  test("when nobody listens", async ({ expect }) => {
    await using codex = await bareCodex();
    const { exitCode, failure } = await codex.run({
      baseUrl: `http://127.0.0.1:${await freePort()}/v1`,
      prompt,
    });
    expect({ exitCode, failure }).toEqual({
      exitCode: 1,
      failure: "Connection failed: error sending request",
    });
  });

  test.for(FAILURES)("%s", async ([scenario, requests, says], { expect }) => {
    await using codex = await bareCodex();
    const { exitCode, failure, events } = await codex.run({
      baseUrl: model.baseUrl(scenario),
      prompt,
    });
    expect(failure).toMatch(says);
    expect({ exitCode, requests: model.requests(scenario).length }).toEqual({
      exitCode: 1,
      requests,
    });
    expect(events.at(-1)?.type).toBe("turn.failed");
  });

  test("when a stream stays silent for longer than it waits", async ({ expect }) => {
    await using codex = await bareCodex();
    const { exitCode, failure } = await codex.run({
      baseUrl: model.baseUrl("hang"),
      prompt,
      provider: "stream_idle_timeout_ms=500,stream_max_retries=1",
    });
    expect({ exitCode, requests: model.requests("hang").length }).toEqual({
      exitCode: 1,
      requests: 2,
    });
    expect(failure).toBe("stream disconnected before completion: idle timeout waiting for SSE");
  });

  test("without a key, and nobody is asked", async ({ expect }) => {
    await using codex = await bareCodex();
    const { exitCode, failure, stderr } = await codex.run({
      baseUrl: model.baseUrl("ok-keyless"),
      prompt,
      codexEnv: {},
    });
    expect({ exitCode, failure }, stderr).toEqual({
      exitCode: 1,
      failure: "Missing environment variable: `JOB_KEY`.",
    });
    expect(model.requests("ok-keyless")).toEqual([]);
  });
});

describe.concurrent("Codex goes on", () => {
  test.for([
    ["flaky500-3", 4],
    ["flaky429-2", 3],
    ["flakycut-2", 3],
    ["slow-50", 1],
  ] as const)("after %s", async ([scenario, requests], { expect }) => {
    await using codex = await bareCodex();
    const { exitCode, failure } = await codex.run({ baseUrl: model.baseUrl(scenario), prompt });
    expect({ exitCode, failure, requests: model.requests(scenario).length }).toEqual({
      exitCode: 0,
      failure: undefined,
      requests,
    });
  });

  test("for ever without an answer's headers: it has no watchdog of its own", async ({
    expect,
  }) => {
    await using codex = await bareCodex();
    const { signal, events } = await codex.run({
      baseUrl: model.baseUrl("hanghdr"),
      prompt,
      provider: "stream_idle_timeout_ms=200,stream_max_retries=0,request_max_retries=0",
      killAfterMs: 8_000,
    });
    expect({ signal, last: events.at(-1)?.type }).toEqual({
      signal: "SIGKILL",
      last: "turn.started",
    });
    expect(model.requests("hanghdr")).toHaveLength(1);
  });
});
