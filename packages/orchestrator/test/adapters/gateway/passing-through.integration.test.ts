import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { eventually } from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ModelAccess } from "../../../src/ports/model-gateway.ts";
import { callIn, completeIn, DIALECTS } from "./fixtures/dialects.ts";
import {
  type Bench,
  callModel,
  errorOf,
  openBench,
  REAL_KEY,
  upstreamsAt,
} from "./fixtures/open-gateway.ts";
import { complete, EVENT_STREAM, refuse } from "./fixtures/provider.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe.each(DIALECTS)("a call to $provider", (dialect) => {
  beforeEach(() => {
    bench.provider.answer = completeIn(dialect);
  });
  const callModel = (access: ModelAccess, more: Parameters<typeof callIn>[2] = {}) =>
    callIn(dialect, access, more);

  test("goes through byte by byte, and is recorded with its tokens", async () => {
    const access = await bench.open();
    const response = await callModel(access);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("x-request-id")).toBe("req_1");
    expect(await response.text()).toBe(dialect.begin + dialect.finish);
    expect(bench.provider.requests[0]).toMatchObject({
      method: "POST",
      url: dialect.forwarded,
      body: JSON.stringify(dialect.body),
    });
    const { model, usage } = dialect;
    expect((await access.report()).calls).toEqual([
      {
        startedAt: expect.any(Date),
        model,
        status: 200,
        outcome: "completed",
        errorCode: null,
        resetsInMs: null,
        usage,
        costUsd: null,
        headersMs: expect.any(Number),
        durationMs: expect.any(Number),
      },
    ]);
    expect((await access.report()).usage).toEqual({ ...usage, costUsd: null, calls: 1 });
  });

  test("is not held back: what has come goes on before more comes", async () => {
    const access = await bench.open();
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    bench.provider.answer = async (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.flushHeaders();
      await goOn;
      response.write(dialect.begin);
      await goOnAgain;
      response.end(dialect.finish);
    };
    const { promise: goOnAgain, resolve: resolveAgain } = Promise.withResolvers<void>();
    let heard = 0;
    access.onHeard(() => {
      heard += 1;
    });
    const response = await callModel(access);
    resolve();
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe(dialect.begin);
    // Its worker hears of it too: the agent is at work, though it prints nothing.
    expect(heard).toBe(1);
    resolveAgain();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe(dialect.finish);
  });

  test("carries the real key instead of the token, and nothing of the agent's own business", async () => {
    const access = await bench.open();
    const response = await callModel(access, {
      headers: {
        originator: "codex_exec",
        "x-codex-turn-metadata": '{"cwd":"/home/somebody"}',
        cookie: "a=b",
        "openai-organization": "somebody-else",
        "x-http-method-override": "DELETE",
        "anthropic-version": "2023-06-01",
        "accept-encoding": "gzip",
      },
    });
    await response.text();
    const [seen] = bench.provider.requests;
    expect(seen?.headers).toMatchObject({
      ...dialect.auth(REAL_KEY),
      originator: "codex_exec",
      "anthropic-version": "2023-06-01",
      "accept-encoding": "identity",
    });
    expect(seen?.headers).not.toHaveProperty("cookie");
    expect(seen?.headers).not.toHaveProperty("x-codex-turn-metadata");
    expect(seen?.headers).not.toHaveProperty("openai-organization");
    expect(seen?.headers).not.toHaveProperty("x-http-method-override");
    expect(JSON.stringify(bench.provider.requests)).not.toContain(access.token);
  });

  test("has the deployment's own headers upstream", async () => {
    await using own = await openBench({
      upstreams: {
        [dialect.provider]: {
          ...upstreamsAt(bench.provider)[dialect.provider],
          headers: { "OpenAI-Organization": "org-1", "OpenAI-Project": "proj-1" },
        },
      },
    });
    await (await callModel(await own.open())).text();
    expect(bench.provider.requests[0]?.headers).toMatchObject({
      "openai-organization": "org-1",
      "openai-project": "proj-1",
    });
  });

  test("never shows the real key, not even when the provider quotes it", async () => {
    const access = await bench.open();
    bench.provider.answer = refuse(401, {
      message: `Incorrect API key provided: ${REAL_KEY}.`,
      code: "invalid_api_key",
    });
    const response = await callModel(access);
    const text = await response.text();
    expect(response.status).toBe(401);
    expect(text).toContain("Incorrect API key provided: [redacted].");
    expect([...response.headers].flat().join() + text).not.toContain(REAL_KEY);
    expect(JSON.stringify([bench.logged, (await access.report()).calls])).not.toContain(REAL_KEY);
  });

  test("of an agent that hangs up ends at the provider too", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(dialect.begin);
    };
    const hangUp = new AbortController();
    const response = await callModel(access, { signal: hangUp.signal });
    await response.body!.getReader().read();
    hangUp.abort();
    await eventually("the provider sees the end", bench.provider.abandoned, (seen) => seen === 1);
    const recorded = await eventually("recorded", access.report, ({ calls }) => calls.length === 1);
    expect(recorded.calls[0]).toMatchObject({
      outcome: "cut",
      errorCode: "client_gone",
      status: 200,
      usage: dialect.usageOfBegun,
    });
  });

  test("that an agent does not read stops the provider, and holds little memory", async () => {
    const access = await bench.open();
    let sent = 0;
    const piece = Buffer.alloc(256 * 1024, "x");
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      const send = (): void => {
        while (!response.destroyed && response.write(piece)) {
          sent += piece.length;
        }
        response.once("drain", send);
      };
      send();
    };
    const call = httpRequest(`${new URL(access.baseUrl).origin}${dialect.asked}`, {
      method: "POST",
      headers: dialect.auth(access.token),
    });
    call.on("error", () => {});
    call.end("{}");
    const [response] = await once(call, "response");
    let before = -1;
    await eventually(
      "the provider has to wait",
      () => sent,
      (seen) => {
        const isStill = seen === before;
        before = seen;
        return isStill;
      },
      { everyMs: 300 },
    );
    expect(sent).toBeLessThan(40 * 1024 * 1024);
    response.destroy();
  });

  test("that is not streamed is counted by its body", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(dialect.document));
    };
    await (await callModel(access)).text();
    await eventually("recorded", access.report, ({ calls }) => calls.length === 1);
    expect((await access.report()).calls).toMatchObject([
      { outcome: "completed", usage: dialect.usage },
    ]);
  });

  test("that the provider breaks off is cut for the agent, and what it has cost counts", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(dialect.begin, () => response.destroy());
    };
    const response = await callModel(access);
    await expect(response.text()).rejects.toThrow();
    expect((await access.report()).calls).toMatchObject([
      { status: 200, outcome: "cut", usage: dialect.usageOfBegun },
    ]);
  });

  test("is refused without its token in the words of its provider, and goes nowhere", async () => {
    const access = await bench.open();
    const response = await callModel({ ...access, token: "sk-somebody" });
    expect(response.status).toBe(401);
    expect(dialect.codeOf(await response.json())).toBe("invalid_token");
    expect(bench.provider.requests).toEqual([]);
  });
});

describe("a call", () => {
  test("whose list of models is asked for goes through as well", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"data":[]}');
    };
    const response = await callModel(access, { method: "GET", body: null, path: "/models" });
    expect(await response.text()).toBe('{"data":[]}');
    expect((await access.report()).calls).toMatchObject([
      { outcome: "completed", model: null, usage: null },
    ]);
  });
});

describe("many attempts at once", () => {
  test("have their own tokens, calls and sums", async () => {
    bench.provider.answer = (response, { body }) => {
      const { turn } = JSON.parse(body) as { turn: number };
      void complete({ input_tokens: turn, output_tokens: 1 })(
        response,
        bench.provider.requests[0]!,
      );
    };
    const accesses = await Promise.all(Array.from({ length: 10 }, () => bench.open()));
    expect(new Set(accesses.map(({ token }) => token)).size).toBe(10);
    await Promise.all(
      accesses.flatMap((access, ix) =>
        Array.from({ length: 5 }, async () => {
          const response = await callModel(access, {
            body: JSON.stringify({ model: "m", turn: ix + 1 }),
          });
          await response.text();
        }),
      ),
    );
    const reports = await Promise.all(accesses.map((access) => access.report()));
    expect(reports.map(({ usage }) => usage)).toEqual(
      accesses.map((_, ix) => ({
        inputTokens: 5 * (ix + 1),
        cachedInputTokens: 0,
        outputTokens: 5,
        costUsd: null,
        calls: 5,
      })),
    );
  });
});

describe("a hundred streams at once, of all providers", () => {
  test("come through whole, side by side", async () => {
    const goOn = Promise.withResolvers<void>();
    const { promise: allThere, resolve: onAllThere } = Promise.withResolvers<void>();
    bench.provider.answer = async (response, { url }) => {
      const dialect = DIALECTS.find(({ forwarded }) => forwarded === url)!;
      response.writeHead(200, EVENT_STREAM);
      response.write(dialect.begin);
      if (bench.provider.requests.length === 99) {
        onAllThere();
      }
      await goOn.promise;
      response.end(dialect.finish);
    };
    const accesses = await Promise.all(Array.from({ length: 33 }, () => bench.open()));
    const texts = accesses.flatMap((access) =>
      DIALECTS.map(async (dialect) => {
        const text = await (await callIn(dialect, access)).text();
        return text === dialect.begin + dialect.finish;
      }),
    );
    await allThere;
    goOn.resolve();
    expect((await Promise.all(texts)).every(Boolean)).toBe(true);
    const reports = await Promise.all(accesses.map((access) => access.report()));
    expect(reports.every(({ usage }) => usage.inputTokens === 3_000 && usage.calls === 3)).toBe(
      true,
    );
  });
});

describe("the way upstream", () => {
  test.each([
    ["a key with a line end", { apiKeys: ["sk-1\n"] }, /key/],
    ["an empty key", { apiKeys: [""] }, /key/],
    ["no key at all", { apiKeys: [] }, /key/],
    ["a base URL that is none", { apiKeys: ["k"], baseUrl: "api.openai.com" }, /base URL/],
    ["a base URL with a user", { apiKeys: ["k"], baseUrl: "http://a:b@host/v1" }, /base URL/],
    ["a base URL with a query", { apiKeys: ["k"], baseUrl: "http://host/v1?x=1" }, /base URL/],
  ])("refuses %s at the start", async (_, openai, message) => {
    await expect(openBench({ upstreams: { openai } })).rejects.toMatchObject({
      code: "CONFIGURATION_INVALID",
      message: expect.stringMatching(message),
    });
  });

  test("that leads nowhere is told to the agent as its provider's fault", async () => {
    await using lost = await openBench({
      upstreams: { openai: { baseUrl: "http://127.0.0.1:1/v1", apiKeys: [REAL_KEY] } },
    });
    const access = await lost.open();
    const response = await callModel(access);
    expect(response.status).toBe(502);
    expect(await errorOf(response)).toMatchObject({ code: "upstream_unreachable" });
    expect((await access.report()).calls).toMatchObject([
      { outcome: "cut", status: null, errorCode: "ECONNREFUSED", headersMs: null },
    ]);
  });
});
