import { type MockModel, type Scenario, startMockModel } from "@speckit/mock-model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelFailure } from "../../../src/domain/model-failure.ts";
import { MODEL_PROVIDERS, type ModelProvider } from "../../../src/domain/model-provider.ts";
import type { ModelAccess } from "../../../src/ports/model-gateway.ts";
import { type Bench, openBench, REAL_KEY } from "./fixtures/open-gateway.ts";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel({ apiKey: REAL_KEY });
});
afterAll(() => model[Symbol.asyncDispose]());

/** A gateway before the mock model, which speaks each provider's protocol. */
function benchAt(scenario: string | Scenario): Promise<Bench> {
  const at = (provider: ModelProvider) => ({
    baseUrl: model.baseUrl(scenario, provider),
    apiKeys: [REAL_KEY],
  });
  return openBench({
    upstreams: { openai: at("openai"), anthropic: at("anthropic"), gemini: at("gemini") },
  });
}

const PATHS: Readonly<Record<ModelProvider, string>> = {
  openai: "/openai/v1/responses",
  anthropic: "/anthropic/v1/messages",
  gemini: "/gemini/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse",
};

function call(
  provider: ModelProvider,
  { baseUrl, token }: ModelAccess,
  { path = PATHS[provider], stream = true } = {},
): Promise<Response> {
  return fetch(`${new URL(baseUrl).origin}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "some", stream, messages: [], contents: [] }),
  });
}

const USAGE = { inputTokens: 1_000, cachedInputTokens: 64, outputTokens: 50 };

describe.each(MODEL_PROVIDERS)("%s, in its own protocol", (provider) => {
  test("streams an answer that is counted with all its tokens", async () => {
    await using bench = await benchAt("ok");
    const access = await bench.open();
    const response = await call(provider, access);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain('"D"');
    expect((await access.report()).calls).toMatchObject([{ outcome: "completed", usage: USAGE }]);
    expect(text).not.toContain(REAL_KEY);
  });

  // What each says in words and headers of its own comes to the same.
  test.each<[string, { resetsInMs?: number; code: string }]>([
    ["e401", { code: "MODEL_CREDENTIALS_REFUSED" }],
    ["e403", { code: "MODEL_CREDENTIALS_REFUSED" }],
    ["e404model", { code: "MODEL_NOT_FOUND" }],
    ["e429ra-20", { code: "RATE_LIMITED", resetsInMs: 20_000 }],
    ["e429quota", { code: "QUOTA_EXHAUSTED" }],
    ["e500", { code: "MODEL_UNAVAILABLE" }],
    ["e503", { code: "MODEL_UNAVAILABLE" }],
    ["failed-server_error", { code: "MODEL_UNAVAILABLE" }],
    ["incomplete", { code: "CONTEXT_TOO_LONG" }],
    ["trunc", { code: "MODEL_UNAVAILABLE" }],
  ])("%s is told for what it is", async (scenario, { code, resetsInMs = null }) => {
    await using bench = await benchAt(scenario);
    const access = await bench.open();
    await (await call(provider, access)).text();
    const [ended] = (await access.report()).calls;
    expect(modelFailure(ended!, new Date())?.code).toBe(code);
    expect(ended?.resetsInMs ?? null).toBe(resetsInMs);
  });

  test("lets its key rest when it asks to, and no other provider's", async () => {
    await using bench = await benchAt("e429ra-20");
    const access = await bench.open();
    expect((await call(provider, access)).status).toBe(429);
    const before = model.requests().length;
    expect((await call(provider, access)).status).toBe(429);
    expect(model.requests().length).toBe(before);
    const other = provider === "openai" ? "gemini" : "openai";
    await call(other, access);
    expect(model.requests().length).toBe(before + 1);
  });
});

test("a client that only looks whether its provider is there needs no token, and asks nobody", async () => {
  await using bench = await benchAt("ok");
  const { origin } = new URL((await bench.open()).baseUrl);
  const before = model.requests().length;
  const looks = ["/anthropic", "/anthropic/", "/gemini", "/anthropic/v1", "/nobody"].map((path) =>
    fetch(`${origin}${path}`, { method: "HEAD" }).then(({ status }) => status),
  );
  expect(await Promise.all(looks)).toEqual([200, 200, 200, 404, 404]);
  expect(model.requests().length).toBe(before);
});

describe("what is not streamed", () => {
  test.each<[ModelProvider, string]>([
    ["anthropic", "/anthropic/v1/messages"],
    ["gemini", "/gemini/v1beta/models/gemini-3-pro:generateContent"],
  ])("is counted by its document: %s", async (provider, path) => {
    await using bench = await benchAt("ok");
    const access = await bench.open();
    await (await call(provider, access, { path, stream: false })).json();
    expect((await access.report()).calls).toMatchObject([{ outcome: "completed", usage: USAGE }]);
  });

  test.each<[ModelProvider, string]>([
    ["anthropic", "/anthropic/v1/messages/count_tokens"],
    ["gemini", "/gemini/v1beta/models/gemini-3-pro:countTokens"],
  ])("the count of a text's tokens costs none: %s", async (provider, path) => {
    await using bench = await benchAt("ok");
    const access = await bench.open();
    expect((await call(provider, access, { path })).status).toBe(200);
    expect((await access.report()).calls).toMatchObject([{ outcome: "completed", usage: null }]);
  });
});

test("a model that a path names is the one with the price", async () => {
  await using bench = await benchAt("ok");
  const limited = await bench.open({ usdLeft: 1 });
  const response = await call("gemini", limited);
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ error: { status: "PERMISSION_DENIED" } });
  expect((await limited.report()).calls).toMatchObject([
    { errorCode: "price_unknown", model: "gemini-3-pro" },
  ]);
});
