import { eventually } from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bench, callModel, errorOf, openBench } from "./fixtures/open-gateway.ts";
import {
  EVENT_STREAM,
  event,
  type ProviderAnswer,
  refuse,
  streamed,
  USAGE,
} from "./fixtures/provider.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench({ hangMs: 400 });
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("an error answer is passed on and recorded:", () => {
  test.each<[number, string, ProviderAnswer, Record<string, unknown>]>([
    [
      400,
      "a wrong value",
      refuse(400, { code: "unsupported_value" }),
      { errorCode: "unsupported_value" },
    ],
    [
      401,
      "a wrong key",
      refuse(401, { code: "invalid_api_key" }),
      { errorCode: "invalid_api_key" },
    ],
    [
      403,
      "a wrong country",
      refuse(403, { type: "unsupported_country" }),
      { errorCode: "unsupported_country" },
    ],
    [
      404,
      "no such model",
      refuse(404, { code: "model_not_found" }),
      { errorCode: "model_not_found" },
    ],
    [
      429,
      "a rate limit with retry-after",
      refuse(429, { code: "rate_limit_exceeded" }, { "retry-after": "2" }),
      { errorCode: "rate_limit_exceeded", resetsInMs: 2_000 },
    ],
    [
      429,
      "a rate limit that says when",
      refuse(429, { message: "Please try again in 1.5s.", type: "tokens", code: null }),
      { errorCode: "tokens", resetsInMs: 1_500 },
    ],
    [
      429,
      "a used-up quota",
      refuse(429, { code: "insufficient_quota" }),
      { errorCode: "insufficient_quota", resetsInMs: null },
    ],
    [
      429,
      "a usage limit",
      refuse(429, { type: "usage_limit_reached", resets_in_seconds: 3_600 }),
      { errorCode: "usage_limit_reached", resetsInMs: 3_600_000 },
    ],
    [500, "a server error", refuse(500, { type: "server_error" }), { errorCode: "server_error" }],
    [
      503,
      "an overload",
      refuse(503, { code: "server_is_overloaded" }),
      { errorCode: "server_is_overloaded" },
    ],
    [502, "no JSON", (response) => void response.writeHead(502).end("<html>"), { errorCode: null }],
    [
      302,
      "a redirect",
      (response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      { errorCode: null },
    ],
  ])("%i, %s", async (status, _, answer, recorded) => {
    const access = await bench.open();
    bench.provider.answer = answer;
    const response = await callModel(access, { redirect: "manual" });
    await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get("location")).toBeNull();
    expect((await access.report()).calls).toMatchObject([
      { status, outcome: "failed", usage: null, ...recorded },
    ]);
    expect((await access.report()).usage).toMatchObject({ calls: 1, costUsd: 0 });
  });

  test("a long one up to 64 kB", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(500);
      response.end("x".repeat(1_000_000));
    };
    const response = await callModel(access);
    expect((await response.text()).length).toBe(64 * 1024);
  });

  test("its text goes into no record", async () => {
    const access = await bench.open();
    bench.provider.answer = refuse(400, { code: "free text of a provider", message: "secret" });
    await (await callModel(access)).text();
    expect((await access.report()).calls).toMatchObject([{ errorCode: null }]);
    expect(JSON.stringify([(await access.report()).calls, bench.logged])).not.toMatch(
      /secret|free text/,
    );
  });
});

describe("a stream", () => {
  test.each<[string, ProviderAnswer, Record<string, unknown>]>([
    [
      "fails with tokens that were used",
      streamed("response.failed", {
        response: { error: { code: "server_error", message: "m" }, usage: USAGE },
      }),
      {
        outcome: "failed",
        errorCode: "server_error",
        usage: { inputTokens: 1_000, cachedInputTokens: 64, outputTokens: 50 },
      },
    ],
    [
      "fails at a rate limit, and says when to try again",
      streamed("response.failed", {
        response: { error: { code: "rate_limit_exceeded", message: "Please try again in 1.5s." } },
      }),
      { outcome: "failed", errorCode: "rate_limit_exceeded", resetsInMs: 1_500, usage: null },
    ],
    [
      "stays incomplete",
      streamed("response.incomplete", {
        response: { incomplete_details: { reason: "max_output_tokens" }, usage: USAGE },
      }),
      { outcome: "failed", errorCode: "max_output_tokens" },
    ],
    [
      "ends with an error event",
      streamed("error", { code: "context_length_exceeded", message: "m" }),
      { outcome: "failed", errorCode: "context_length_exceeded" },
    ],
    [
      "ends without an end",
      (response) => void response.writeHead(200, EVENT_STREAM).end(event("response.created")),
      { outcome: "cut", errorCode: null },
    ],
  ])("that %s is recorded so", async (_, answer, recorded) => {
    const access = await bench.open();
    bench.provider.answer = answer;
    await (await callModel(access)).text();
    expect((await access.report()).calls).toMatchObject([{ status: 200, ...recorded }]);
  });

  test("that is cut is cut for the agent", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(event("response.created"), () => response.destroy());
    };
    const response = await callModel(access);
    await expect(response.text()).rejects.toThrow();
    expect((await access.report()).calls).toMatchObject([{ status: 200, outcome: "cut" }]);
  });

  test("that has come to its end is complete, whatever becomes of the connection", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(event("response.completed", { response: { usage: USAGE } }), () =>
        response.destroy(),
      );
    };
    const response = await callModel(access);
    await response.text().catch(() => {});
    expect((await access.report()).calls).toMatchObject([
      { outcome: "completed", usage: { inputTokens: 1_000 } },
    ]);
  });
});

describe("a provider that hangs", () => {
  test("before its headers: the agent is told, the call is ended and recorded", async () => {
    const access = await bench.open();
    bench.provider.answer = () => {};
    const response = await callModel(access);
    expect(response.status).toBe(504);
    expect(await errorOf(response)).toMatchObject({ code: "upstream_hung" });
    expect((await access.report()).calls).toMatchObject([
      { outcome: "hung", status: null, headersMs: null },
    ]);
    await eventually("its connection is closed", bench.provider.abandoned, (seen) => seen === 1);
  });

  test("in the stream: the stream is cut", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(event("response.created"));
    };
    const response = await callModel(access);
    await expect(response.text()).rejects.toThrow();
    expect((await access.report()).calls).toMatchObject([{ outcome: "hung", status: 200 }]);
    await eventually("its connection is closed", bench.provider.abandoned, (seen) => seen === 1);
  });

  test("in an error's body: the agent is told so", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(429);
      response.write("{");
    };
    expect((await callModel(access)).status).toBe(504);
    expect((await access.report()).calls).toMatchObject([{ outcome: "hung", status: 429 }]);
  });

  test("not while something still comes now and then", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        response.write(": keep-alive\n\n");
        if (sent === 10) {
          clearInterval(timer);
          response.end(event("response.completed", { response: { usage: USAGE } }));
        }
      }, 100);
    };
    await (await callModel(access)).text();
    expect((await access.report()).calls).toMatchObject([{ outcome: "completed" }]);
  });
});
