import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MockModel, startMockModel, USAGE_PER_CALL } from "../src/index.ts";

const KEY = "key-of-the-provider";
let model: MockModel;
beforeAll(async () => {
  model = await startMockModel({ apiKey: KEY });
});
afterAll(() => model[Symbol.asyncDispose]());

const messages = (scenario: string, { stream = true, headers = {} } = {}) =>
  fetch(`${model.baseUrl(scenario, "anthropic")}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01", ...headers },
    body: JSON.stringify({ model: "claude-opus-5", stream, messages: [] }),
  });

const contents = (scenario: string, { stream = true, key = KEY } = {}) => {
  const method = stream ? "streamGenerateContent?alt=sse" : "generateContent";
  return fetch(`${model.baseUrl(scenario, "gemini")}/v1beta/models/gemini-3-pro:${method}`, {
    method: "POST",
    headers: { "x-goog-api-key": key },
    body: JSON.stringify({ contents: [] }),
  });
};

/** The data of each event, with the name of those that have one. */
function eventsIn(stream: string): readonly (readonly [string, Record<string, unknown>])[] {
  return stream
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const [, name = "", data = ""] = /^(?:event: (.+)\n)?data: (.+)$/.exec(block) ?? [];
      return [name, JSON.parse(data) as Record<string, unknown>] as const;
    });
}

const { inputTokens, cachedInputTokens, outputTokens } = USAGE_PER_CALL;

describe("Anthropic's protocol", () => {
  test("is a stream that begins and ends with what it has cost", async () => {
    const events = eventsIn(await (await messages("ok")).text());
    expect(events.map(([name]) => name)).toEqual([
      "message_start",
      "ping",
      "content_block_start",
      ...Array(5).fill("content_block_delta"),
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(events.every(([name, { type }]) => name === type)).toBe(true);
    const { usage } = events[0]![1].message as { usage: Record<string, number> };
    expect(
      usage.input_tokens! + usage.cache_creation_input_tokens! + usage.cache_read_input_tokens!,
    ).toBe(inputTokens);
    expect(events.at(-2)?.[1]).toMatchObject({
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: outputTokens },
    });
  });

  test("is a whole message where no stream is asked for", async () => {
    expect(await (await messages("ok", { stream: false })).json()).toMatchObject({
      type: "message",
      content: [{ type: "text", text: "Done." }],
      stop_reason: "end_turn",
      usage: { cache_read_input_tokens: cachedInputTokens },
    });
  });

  test.each([
    ["e429ra-20", 429, "rate_limit_error"],
    ["e429quota", 400, "invalid_request_error"],
    ["e503", 529, "overloaded_error"],
    ["e500", 500, "api_error"],
  ])("says %s as %i, %s", async (scenario, status, type) => {
    const response = await messages(scenario);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: "error", error: { type } });
    const reset = response.headers.get("anthropic-ratelimit-requests-reset");
    expect(reset !== null).toBe(status === 429);
  });

  test("asks for a key and a version", async () => {
    expect((await messages("ok", { headers: { "x-api-key": "other" } })).status).toBe(401);
    expect((await messages("ok", { headers: { "anthropic-version": "" } })).status).toBe(200);
    const bare = await fetch(`${model.baseUrl("ok", "anthropic")}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": KEY },
      body: "{}",
    });
    expect(bare.status).toBe(400);
  });

  test("breaks off in the middle, or says that it fails", async () => {
    await expect(messages("cut").then((one) => one.text())).rejects.toThrow();
    const failed = eventsIn(await (await messages("failed-server_is_overloaded")).text());
    expect(failed.at(-1)).toMatchObject(["error", { error: { type: "overloaded_error" } }]);
    const incomplete = eventsIn(await (await messages("incomplete")).text());
    expect(incomplete.at(-2)?.[1]).toMatchObject({ delta: { stop_reason: "max_tokens" } });
  });
});

describe("Gemini's protocol", () => {
  test("is a stream of pieces without names, the last with why it ends and what it has cost", async () => {
    const events = eventsIn(await (await contents("ok")).text());
    expect(events.every(([name]) => name === "")).toBe(true);
    const last = events.at(-1)![1];
    expect(last).toMatchObject({ candidates: [{ finishReason: "STOP" }] });
    const usage = last.usageMetadata as Record<string, number>;
    expect(usage.promptTokenCount).toBe(inputTokens);
    expect(usage.candidatesTokenCount! + usage.thoughtsTokenCount!).toBe(outputTokens);
  });

  test("is a document where no stream is asked for", async () => {
    expect(await (await contents("ok", { stream: false })).json()).toMatchObject({
      candidates: [{ finishReason: "STOP" }],
      usageMetadata: { totalTokenCount: inputTokens + outputTokens },
    });
  });

  test("says when to come back in the error's details alone", async () => {
    const response = await contents("e429ra-20");
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBeNull();
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect(error.status).toBe("RESOURCE_EXHAUSTED");
    expect(error.details).toContainEqual(expect.objectContaining({ retryDelay: "20s" }));
  });

  test("says a wrong key as a wrong argument", async () => {
    const response = await contents("ok", { key: "other" });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain("API_KEY_INVALID");
  });
});
