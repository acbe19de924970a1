import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { eventually } from "@speckit/testkit";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bench, callModel, errorOf, openBench } from "./fixtures/open-gateway.ts";
import { complete, EVENT_STREAM } from "./fixtures/provider.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

async function expectRefused(response: Promise<Response>): Promise<void> {
  const { status } = await response;
  expect(status).toBe(401);
  expect(await errorOf(await response)).toMatchObject({ code: "invalid_token", param: null });
  expect(bench.provider.requests).toEqual([]);
}

describe("a token", () => {
  test("names its deployment, run, phase, attempt, limits and expiry", async () => {
    const { token } = await bench.open(
      { tokensLeft: 5 },
      { runId: "r", phase: "plan", attempt: 3 },
    );
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      iss: "local",
      run: "r",
      phase: "plan",
      attempt: 3,
      limits: { tokensLeft: 5 },
    });
    expect(claims.exp! * 1_000 - Date.now()).toBeGreaterThan(59_000);
    expect(claims.exp! * 1_000 - Date.now()).toBeLessThan(63_000);
  });

  test("is refused when it is missing, wrong, changed or another gateway's", async () => {
    await using other = await openBench();
    const { baseUrl, token } = await bench.open();
    const [head, body, signature] = token.split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const wrong of [
      "",
      "sk-something",
      `${token}x`,
      `${head}.${body}x.${signature}`,
      `${none}.${body}.`,
      (await other.open()).token,
    ]) {
      await expectRefused(callModel({ baseUrl, token: wrong }));
    }
    await expectRefused(
      callModel({ baseUrl, token }, { headers: { authorization: `Basic ${token}` } }),
    );
  });

  test("ends with its access", async () => {
    const access = await bench.open();
    await access[Symbol.asyncDispose]();
    await expectRefused(callModel(access));
  });

  test("ends when its time is over, which is recorded", async () => {
    const access = await bench.open({}, { expiresInMs: 0 });
    await expectRefused(callModel(access));
    expect((await access.report()).calls).toMatchObject([
      { outcome: "refused", errorCode: "invalid_token" },
    ]);
  });

  test("that ends cuts the calls it has open", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(": open\n");
    };
    const response = await callModel(access);
    const text = response.text().then(
      () => "whole",
      () => "cut",
    );
    await access[Symbol.asyncDispose]();
    expect(await text).toBe("cut");
    expect((await access.report()).calls).toMatchObject([{ outcome: "cut" }]);
    await eventually("its provider sees it", bench.provider.abandoned, (seen) => seen === 1);
  });

  test("that ends cuts a call whose body is still on its way", async () => {
    const access = await bench.open();
    const call = httpRequest(`${access.baseUrl}/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${access.token}` },
    });
    const failed = once(call, "error").catch((error: unknown) => [error]);
    call.write("{");
    await once(call, "socket");
    await new Promise((resolve) => call.write('"model":', resolve));
    await access[Symbol.asyncDispose]();
    call.end('"m"}');
    const over = await Promise.race([failed, once(call, "response")]);
    // Cut, or too late for an access that has ended.
    expect(over[0] instanceof Error || over[0].statusCode === 401).toBe(true);
    expect(bench.provider.requests).toEqual([]);
  });
});

describe("whatever else is asked for", () => {
  test.each([
    ["GET", "/responses"],
    ["DELETE", "/responses/resp_1"],
    ["POST", "/responses/"],
    ["POST", "/chat/completions"],
    ["POST", "/files"],
    ["POST", "/responses/../files"],
    ["POST", "/%72esponses"],
    ["PUT", "/models"],
  ])("%s %s is not there", async (method, path) => {
    const { baseUrl, token } = await bench.open();
    const url = new URL(baseUrl);
    const call = httpRequest({
      host: url.hostname,
      port: url.port,
      method,
      path: `${url.pathname}${path}`,
      headers: { authorization: `Bearer ${token}` },
    });
    call.end();
    const [response] = await once(call, "response");
    expect(response.statusCode).toBe(404);
    response.resume();
    expect(bench.provider.requests).toEqual([]);
  });

  test("an upgrade to a WebSocket neither", async () => {
    const { baseUrl, token } = await bench.open();
    const call = httpRequest(`${baseUrl}/responses`, {
      headers: { authorization: `Bearer ${token}`, connection: "Upgrade", upgrade: "websocket" },
    });
    call.end();
    const [response] = await once(call, "response");
    expect(response.statusCode).toBe(404);
    response.resume();
  });

  test.each(["", "no json", "[1]", "null", '"text"', "{", "\u0000"])(
    "a body of %j is refused without the provider",
    async (body) => {
      const access = await bench.open();
      const response = await callModel(access, { body });
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toMatchObject({ code: "invalid_request_body" });
      expect((await access.report()).calls).toMatchObject([{ outcome: "refused", status: null }]);
      expect(bench.provider.requests).toEqual([]);
    },
  );

  test("a model with a name that is none goes through, and its name into no record", async () => {
    const access = await bench.open();
    await (await callModel(access, { model: "sk-1 and\nfree text" })).text();
    expect((await access.report()).calls).toMatchObject([{ outcome: "completed", model: null }]);
  });

  test("a packed body is refused", async () => {
    const response = await callModel(await bench.open(), {
      headers: { "content-encoding": "gzip" },
    });
    expect(response.status).toBe(400);
  });

  test("a body that says it is too large is refused before it is sent", async () => {
    const access = await bench.open();
    const call = httpRequest(`${access.baseUrl}/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${access.token}`, "content-length": 65 * 1024 * 1024 },
    });
    call.on("error", () => {});
    call.write("{");
    const [response] = await once(call, "response");
    expect(response.statusCode).toBe(413);
    call.destroy();
  });

  test("no HTTP at all is answered in HTTP, and the next agent is served", async () => {
    const access = await bench.open();
    const { hostname, port } = new URL(access.baseUrl);
    const socket = connect(Number(port), hostname);
    socket.end("\u0016\u0003\u0001 this is no HTTP\r\n\r\n");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1.1 400/);
    expect((await callModel(access)).status).toBe(200);
  });
});

describe("an attempt", () => {
  test("may have a few calls open at a time, no more", async () => {
    const access = await bench.open();
    bench.provider.answer = () => {};
    const hangUp = new AbortController();
    const calls = Array.from({ length: 16 }, () =>
      callModel(access, { signal: hangUp.signal }).catch(() => undefined),
    );
    await eventually(
      "all are open",
      () => bench.provider.requests.length,
      (seen) => seen === 16,
    );
    const response = await callModel(access);
    expect(response.status).toBe(429);
    expect(await errorOf(response)).toMatchObject({ code: "too_many_open_calls" });
    hangUp.abort();
    await Promise.all(calls);
  });

  test("that sends more text at a time than the gateway holds is told to come again", async () => {
    const access = await bench.open();
    const half = JSON.stringify({ model: "m", input: "x".repeat(42 * 1024 * 1024) });
    let open = 0;
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    bench.provider.answer = async (response, request) => {
      open += 1;
      await goOn;
      await complete()(response, request);
    };
    const first = callModel(access, { body: half });
    await eventually("the first is held", () => open === 1);
    const second = await callModel(access, { body: half });
    expect(second.status).toBe(429);
    expect(await errorOf(second)).toMatchObject({ code: "too_many_open_calls" });
    resolve();
    expect(await (await first).text()).toContain("response.completed");
    expect((await callModel(access, { body: half })).status).toBe(200);
  });
});
