import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MockModel, message, startMockModel, turn, USAGE_PER_CALL } from "../src/index.ts";
import { ask, TOOLS } from "./ask.ts";
import { eventsIn, itemsIn } from "./read-events.ts";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

/** Answers as a table: status, error code, headers that matter. */
async function refusal(scenario: string) {
  const response = await ask(model.baseUrl(scenario));
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, ...error, retryAfter: response.headers.get("retry-after") };
}

describe("an answer", () => {
  test("is a stream of events that ends with what it has cost", async () => {
    const response = await ask(model.baseUrl("ok"));
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const stream = await response.text();
    expect(eventsIn(stream).map(({ type }) => type)).toEqual([
      "response.created",
      "response.output_item.added",
      ...Array(5).fill("response.output_text.delta"),
      "response.output_item.done",
      "response.completed",
    ]);
    expect(itemsIn(stream)).toMatchObject([{ content: [{ text: "Done." }] }]);
    expect(eventsIn(stream).at(-1)).toMatchObject({
      response: {
        usage: {
          input_tokens: USAGE_PER_CALL.inputTokens,
          output_tokens: USAGE_PER_CALL.outputTokens,
          total_tokens: USAGE_PER_CALL.inputTokens + USAGE_PER_CALL.outputTokens,
        },
      },
    });
  });

  test("follows from a function of the test's own", async () => {
    const baseUrl = model.baseUrl(({ ordinal, headers }) =>
      turn(message(`${ordinal} for ${headers.authorization}`)),
    );
    const headers = { authorization: "Bearer one" };
    expect(itemsIn(await (await ask(baseUrl, { headers })).text())).toMatchObject([
      { content: [{ text: "1 for Bearer one" }] },
    ]);
    expect(await (await ask(baseUrl, { headers })).text()).toContain("2 for Bearer one");
  });

  test("is recorded with what was asked for it", async () => {
    const baseUrl = model.baseUrl("e503-recorded");
    const beforeMs = Date.now();
    await (await ask(baseUrl, { headers: { authorization: "Bearer two" } })).text();
    expect(model.requests("e503-recorded")).toEqual([
      {
        scenario: "e503-recorded",
        method: "POST",
        path: "/e503-recorded/v1/responses",
        headers: expect.objectContaining({ authorization: "Bearer two" }),
        body: expect.objectContaining({ model: "gpt-5.5", stream: true }),
        atMs: expect.toSatisfy((atMs: number) => atMs >= beforeMs && atMs <= Date.now()),
        status: 503,
      },
    ]);
  });

  test("is refused to a wrong key where one is asked for", async () => {
    await using guarded = await startMockModel({ apiKey: "sk-real" });
    const baseUrl = guarded.baseUrl("ok");
    expect((await ask(baseUrl)).status).toBe(401);
    expect((await ask(baseUrl, { headers: { authorization: "Bearer sk-real" } })).status).toBe(200);
  });

  test("needs a scenario and a path that there are", async () => {
    expect(() => model.baseUrl("nonsense")).toThrow('There is no scenario "nonsense"');
    const response = await fetch(`${model.baseUrl("ok")}/embeddings`, { method: "POST" });
    expect(response.status).toBe(404);
  });
});

describe("a failure", () => {
  test.each([
    ["e400", 400, "unsupported_value", null],
    ["e401", 401, "invalid_api_key", null],
    ["e403", 403, "unsupported_country_region_territory", null],
    ["e404model", 404, "model_not_found", null],
    ["e429", 429, "rate_limit_exceeded", null],
    ["e429ra", 429, "rate_limit_exceeded", "2"],
    ["e429ra-20", 429, "rate_limit_exceeded", "20"],
    ["e429quota", 429, "insufficient_quota", null],
    ["e500", 500, null, null],
    ["e503", 503, "server_is_overloaded", null],
  ])(
    "%s has the status, code and retry-after of a provider",
    async (name, status, code, retryAfter) => {
      expect(await refusal(name)).toMatchObject({ status, code, retryAfter });
    },
  );

  test("of a usage limit names the time at which it ends", async () => {
    const { status, type, resets_at } = await refusal("e429usage-60").then(
      (body) => body as Record<string, unknown>,
    );
    expect({ status, type }).toEqual({ status: 429, type: "usage_limit_reached" });
    expect(Number(resets_at) - Date.now() / 1_000).toBeCloseTo(60, -1);
  });

  test("in the stream names its code, and what it has cost", async () => {
    const events = eventsIn(await (await ask(model.baseUrl("failed-server_error"))).text());
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: { error: { code: "server_error" }, usage: { total_tokens: 1_050 } },
    });
    const incomplete = eventsIn(await (await ask(model.baseUrl("incomplete"))).text());
    expect(incomplete.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: { incomplete_details: { reason: "max_output_tokens" } },
    });
  });

  test("that cuts the connection is an error for the reader, after the first event", async () => {
    const response = await ask(model.baseUrl("cut"));
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("that ends too soon lacks the last event, and nothing else", async () => {
    const events = eventsIn(await (await ask(model.baseUrl("trunc"))).text());
    expect(events.map(({ type }) => type)).toEqual(["response.created"]);
  });

  test("that hangs sends headers and an event, or not even headers", async () => {
    const reader = (await ask(model.baseUrl("hang"))).body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain("response.created");
    const silent = await Promise.race([
      reader.read().then(() => "more"),
      ask(model.baseUrl("hanghdr")).then(() => "headers"),
      // Another answer overtakes both.
      ask(model.baseUrl("slow-20")).then((response) => response.text().then(() => "silence")),
    ]);
    expect(silent).toBe("silence");
    await reader.cancel();
    expect(model.requests("hanghdr")).toMatchObject([{ status: null }]);
  });

  test("that passes is over after so many requests of its scenario, counted by name", async () => {
    const statuses = async (name: string) => (await ask(model.baseUrl(name))).status;
    expect(await statuses("flaky500-2")).toBe(500);
    expect(await statuses("flaky500-2-other")).toBe(500);
    expect(await statuses("flaky500-2")).toBe(500);
    expect(await statuses("flaky500-2")).toBe(200);
    expect(await statuses("flaky429-1")).toBe(429);
    expect(await statuses("flaky429-1")).toBe(200);
    await expect(ask(model.baseUrl("flakycut-1")).then((one) => one.text())).rejects.toThrow();
    expect(await statuses("flakycut-1")).toBe(200);
  });
});

describe("a command in the prompt", () => {
  const prompt = ["RUN{{git status}} and then RUN{{ls -l}}"];

  test.each([
    ["shell", "function_call", "exec_command"],
    ["patch", "function_call", "exec_command"],
    ["code", "custom_tool_call", "exec"],
  ] as const)("is run by the tool that is offered (%s)", async (kind, type, name) => {
    const tools = TOOLS[kind];
    const [item] = itemsIn(await (await ask(model.baseUrl("run"), { tools, prompt })).text());
    expect(item).toMatchObject({ type, name, call_id: "call_1" });
    expect(JSON.stringify(item)).toContain("git status");
  });

  test("comes one after the other, by what the tools have given so far", async () => {
    const after = async (outputs: readonly string[]) =>
      itemsIn(await (await ask(model.baseUrl("run"), { prompt, outputs })).text())[0];
    expect(await after(["clean"])).toMatchObject({
      call_id: "call_2",
      arguments: JSON.stringify({ cmd: "ls -l", yield_time_ms: 10_000 }),
    });
    expect(await after(["clean", "total 0"])).toMatchObject({ type: "message" });
  });

  test("is a complaint when no tool can run it", async () => {
    const response = await ask(model.baseUrl("run-toolless"), { tools: { tools: [] }, prompt });
    expect(response.status).toBe(400);
    expect(model.requests("run-toolless")).toMatchObject([
      { status: 400, complaint: expect.stringContaining("no tool that runs a command") },
    ]);
    expect(model.complaints()).toHaveLength(1);
  });
});
