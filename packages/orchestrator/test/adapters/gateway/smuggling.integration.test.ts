import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { eventually, testDatabase } from "@speckit/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { metricsRecorder } from "../../../src/testing/metrics-recorder.ts";
import { complete, EVENT_STREAM, event, type ProviderRequest } from "./fixtures/provider.ts";
import {
  openServedBench,
  REAL_TIMES,
  type ServedAttempt,
  type ServedBench,
} from "./fixtures/serve-gateway.ts";

const database = await testDatabase();
const metrics = metricsRecorder();
let bench: ServedBench;
let attempt: ServedAttempt;
let seen: number;
beforeAll(async () => {
  bench = await openServedBench(database.url);
  await bench.serve({ ...REAL_TIMES, metrics: metrics.metrics });
  attempt = await bench.attempt();
});
beforeEach(() => {
  bench.provider.answer = complete();
  seen = bench.provider.requests.length;
});
/** Whatever was tried, the gateway is there, and the next call is nobody else's. */
afterEach(async () => {
  bench.provider.answer = complete();
  const before = bench.provider.requests.length;
  expect(await (await bench.callModel(attempt.model)).text()).toContain("response.completed");
  expect(bench.provider.requests.length).toBe(before + 1);
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const PATH = "/openai/v1/responses";
const BODY = '{"model":"m","input":[]}';

/** What an attacker would like the provider, or the gateway, to take for a request of its own. */
const hidden = () =>
  `POST ${PATH} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${attempt.model}\r\nContent-Length: 14\r\n\r\n{"model":"bad"}`;

/** A request with an attempt's own token, but for what a case puts into it; the last one of its connection. */
function asked({
  line = `POST ${PATH} HTTP/1.1`,
  headers = [`Content-Length: ${BODY.length}`],
  body = BODY,
  isLast = true,
}: {
  readonly line?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly isLast?: boolean;
} = {}): string {
  const all = ["Host: gateway", `Authorization: Bearer ${attempt.model}`, ...headers];
  return [line, ...all, ...(isLast ? ["Connection: close"] : []), "", body].join("\r\n");
}

/** Sends bytes as they are. @returns the statuses of all that was answered before the connection ended */
async function statusesOf(bytes: string): Promise<readonly number[]> {
  const socket = connect(bench.socketPath);
  socket.on("error", () => {});
  socket.write(bytes, "latin1");
  return statusesIn(await text(socket).catch(() => ""));
}

const statusesIn = (answer: string): readonly number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

const heard = (): readonly ProviderRequest[] => bench.provider.requests.slice(seen);

describe("one request is one for the provider", () => {
  test.each<readonly [string, () => string, string]>([
    ["with a length", () => asked(), BODY],
    [
      "in chunks",
      () =>
        asked({
          headers: ["Transfer-Encoding: chunked"],
          body: `5\r\n${BODY.slice(0, 5)}\r\n13\r\n${BODY.slice(5)}\r\n0\r\n\r\n`,
        }),
      BODY,
    ],
    [
      "in chunks with extensions and trailers, which end here",
      () =>
        asked({
          headers: ["Transfer-Encoding: chunked", "Trailer: X-Late"],
          body: `18;a=b;c="d"\r\n${BODY}\r\n0;e\r\nX-Late: 1\r\n\r\n`,
        }),
      BODY,
    ],
    [
      "whose body holds another",
      () => {
        const body = JSON.stringify({ model: "m", input: hidden() });
        return asked({ headers: [`Content-Length: ${body.length}`], body });
      },
      "",
    ],
    [
      "that names another host, a scheme and a way",
      () =>
        asked({
          headers: [
            `Content-Length: ${BODY.length}`,
            "X-Forwarded-Host: evil.example.org",
            "X-HTTP-Method-Override: DELETE",
            "Forwarded: host=evil.example.org",
            "X-Original-URL: /v1/files",
          ],
        }),
      BODY,
    ],
    [
      "with headers that speak of one connection",
      () =>
        asked({
          headers: [
            `Content-Length: ${BODY.length}`,
            "TE: trailers",
            "Keep-Alive: 5",
            "Upgrade: h2c",
          ],
        }),
      BODY,
    ],
  ])("%s", async (_what, bytes, body) => {
    expect(await statusesOf(bytes())).toEqual([200]);
    const [one, ...more] = heard();
    expect(more).toEqual([]);
    expect(one).toMatchObject({ method: "POST", url: "/v1/responses" });
    expect(one?.headers).toMatchObject({ "content-length": String(one?.body.length) });
    for (const name of ["transfer-encoding", "trailer", "te", "upgrade", "forwarded", "x-late"]) {
      expect(one?.headers).not.toHaveProperty(name);
    }
    expect(one?.headers.host).toBe(new URL(bench.provider.origin).host);
    if (body !== "") {
      expect(one?.body).toBe(body);
    }
  });

  test("and one behind it has to show a token of its own", async () => {
    const second = asked({ headers: [`Content-Length: ${BODY.length}`] }).replace(
      /Bearer \S+/,
      "Bearer x",
    );
    expect(await statusesOf(asked({ isLast: false }) + second)).toEqual([200, 401]);
    expect(heard()).toHaveLength(1);
  });

  test("also a GET whose body is a request: that is read by nobody", async () => {
    const body = hidden();
    const get = asked({
      line: "GET /openai/v1/models HTTP/1.1",
      headers: [`Content-Length: ${body.length}`],
      body,
      isLast: false,
    });
    const after = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    expect(await statusesOf(get + after)).toEqual([200, 200]);
    expect(heard()).toMatchObject([{ method: "GET", url: "/v1/models", body: "" }]);
  });
});

describe("a request with two readings is none, for whoever reads it", () => {
  const chunked = (body: string) => asked({ headers: ["Transfer-Encoding: chunked"], body });
  const lengths = (...values: readonly string[]) =>
    asked({
      headers: values.map((value) => `Content-Length:${value}`),
      body: `${BODY}${hidden()}`,
    });

  test.each<readonly [string, () => string]>([
    [
      "length first, then chunks (CL.TE)",
      () =>
        asked({
          headers: ["Content-Length: 5", "Transfer-Encoding: chunked"],
          body: `0\r\n\r\n${hidden()}`,
        }),
    ],
    [
      "chunks first, then length (TE.CL)",
      () =>
        asked({
          headers: ["Transfer-Encoding: chunked", "Content-Length: 4"],
          body: `5c\r\n${hidden()}\r\n0\r\n\r\n`,
        }),
    ],
    ["two lengths", () => lengths(" 24", " 5")],
    ["the same length twice", () => lengths(" 24", " 24")],
    ["a list of lengths", () => lengths(" 24, 5")],
    ["a signed length", () => lengths(" +24")],
    ["a negative length", () => lengths(" -1")],
    ["a hexadecimal length", () => lengths(" 0x18")],
    ["a length with a space in it", () => lengths(" 2 4")],
    ["a length beyond all numbers", () => lengths(" 99999999999999999999")],
    [
      "an encoding after chunks",
      () =>
        asked({ headers: ["Transfer-Encoding: chunked, identity"], body: `0\r\n\r\n${hidden()}` }),
    ],
    [
      "an encoding that nobody knows",
      () => asked({ headers: ["Transfer-Encoding: xchunked"], body: `0\r\n\r\n${hidden()}` }),
    ],
    [
      "an encoding given twice",
      () =>
        asked({
          headers: ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
          body: `0\r\n\r\n${hidden()}`,
        }),
    ],
    ["a space before the colon", () => asked({ headers: [`Content-Length : ${BODY.length}`] })],
    ["a tab before the colon", () => asked({ headers: ["Transfer-Encoding\t: chunked"] })],
    [
      "a folded encoding",
      () => asked({ headers: ["Transfer-Encoding:\r\n chunked"], body: `0\r\n\r\n${hidden()}` }),
    ],
    [
      "a folded header",
      () => asked({ headers: ["X-A: a\r\n b", `Content-Length: ${BODY.length}`] }),
    ],
    ["a header that begins with a space", () => asked({ headers: [" X-A: a"] })],
    ["lines that end with LF alone", () => asked().replaceAll("\r\n", "\n")],
    ["one line that ends with LF alone", () => asked().replace("gateway\r\n", "gateway\n")],
    ["a line that ends with CR alone", () => asked().replace("gateway\r\n", "gateway\rX: y\r\n")],
    ["a NUL in a header", () => asked({ headers: ["X-A: a\0b"] })],
    ["a control character in a header", () => asked({ headers: ["X-A: a\u0001b"] })],
    ["a header's name with a bracket", () => asked({ headers: ["X[A]: a"] })],
    ["a header without a name", () => asked({ headers: [": a"] })],
    ["a size of a chunk with 0x", () => chunked(`0x18\r\n${BODY}\r\n0\r\n\r\n`)],
    ["a negative size of a chunk", () => chunked(`-18\r\n${BODY}\r\n0\r\n\r\n`)],
    ["a size beyond all numbers", () => chunked(`fffffffffffffffff18\r\n${BODY}\r\n0\r\n\r\n`)],
    ["a chunk that is longer than it says", () => chunked(`5\r\n${BODY}\r\n0\r\n\r\n`)],
    ["a chunk's size that ends with LF alone", () => chunked(`18\n${BODY}\r\n0\r\n\r\n`)],
    ["an extension that ends with LF alone", () => chunked(`18;a\n${BODY}\r\n0\r\n\r\n`)],
    ["a chunk that ends with LF alone", () => chunked(`18\r\n${BODY}\n0\r\n\r\n`)],
    [
      "a length among the trailers",
      () => chunked(`18\r\n${BODY}\r\n0\r\nContent-Length: 5\r\n\r\n`),
    ],
    ["a path with a space in it", () => asked({ line: `POST ${PATH} x HTTP/1.1` })],
    ["a path with a tab in it", () => asked({ line: `POST ${PATH}\tx HTTP/1.1` })],
    ["a path with a line end in it", () => asked({ line: `POST ${PATH}\nX-A: b HTTP/1.1` })],
    ["a method that nobody knows", () => asked({ line: `post ${PATH} HTTP/1.1` })],
    ["no version", () => asked({ line: `POST ${PATH}` })],
    ["another version", () => asked({ line: `POST ${PATH} HTTP/3.1` })],
    ["HTTP/2's first words", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])("%s", async (_what, bytes) => {
    const counted = () => metrics.counted("gateway_refusals", { reason: "malformed_request" });
    const before = counted();
    expect(await statusesOf(bytes())).toEqual([400]);
    expect(heard()).toEqual([]);
    expect(counted()).toBe(before + 1);
  });

  test.each<readonly [string, () => string, number]>([
    [
      "a whole URL for another host",
      () => asked({ line: "POST http://evil.example.org/v1 HTTP/1.1" }),
      405,
    ],
    ["a whole URL for this one", () => asked({ line: `POST http://gateway${PATH} HTTP/1.1` }), 405],
    [
      "a path with an encoded line end",
      () => asked({ line: `POST ${PATH}%0d%0aX:%20y HTTP/1.1` }),
      404,
    ],
    [
      "a path with a host in front",
      () => asked({ line: `POST //evil.example.org${PATH} HTTP/1.1` }),
      404,
    ],
    ["a path with a backslash", () => asked({ line: "POST /openai\\v1\\responses HTTP/1.1" }), 404],
    [
      "a model with a way in its name",
      () => asked({ line: "POST /gemini/v1beta/models/..%2f..%2ffiles:generateContent HTTP/1.1" }),
      404,
    ],
    [
      "a token with an encoded line end",
      () => asked().replace(attempt.model, `${attempt.model}%0d%0aX-Evil:%201`),
      401,
    ],
    [
      "a token with another behind a comma",
      () => asked().replace(attempt.model, `x,${attempt.model}`),
      401,
    ],
  ])("nor one that would lead elsewhere: %s", async (_what, bytes, status) => {
    expect(await statusesOf(bytes())).toEqual([status]);
    expect(heard()).toEqual([]);
  });

  test("a query's line end stays encoded", async () => {
    const bytes = asked({ line: `POST ${PATH}?a=%0d%0aX-Evil:%201 HTTP/1.1` });
    expect(await statusesOf(bytes)).toEqual([200]);
    expect(heard()).toMatchObject([{ url: "/v1/responses?a=%0d%0aX-Evil:%201" }]);
    expect(heard()[0]?.headers).not.toHaveProperty("x-evil");
  });
});

describe("a connection ends with what was refused on it", () => {
  const connectTo = (token: string) =>
    `CONNECT forbidden.example.org:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${Buffer.from(`egress:${token}`).toString("base64")}\r\n\r\n`;

  test.each<readonly [string, () => string, number]>([
    ["refused by name", () => attempt.egress, 403],
    ["refused by token", () => "x", 407],
  ])("a CONNECT %s: what comes later is answered by nobody", async (_what, token, status) => {
    const socket = connect(bench.socketPath);
    socket.on("error", () => {});
    const all = text(socket).catch(() => "");
    socket.write(connectTo(token()));
    await new Promise((resolve) => setImmediate(resolve));
    socket.write(asked());
    expect([[status], [400]]).toContainEqual(statusesIn(await all));
    expect(heard()).toEqual([]);
  });

  test("a CONNECT that does not wait for its answer", async () => {
    const before = metrics.counted("gateway_refusals", { reason: "connect_not_plain" });
    expect(await statusesOf(connectTo(attempt.egress) + asked())).toEqual([400]);
    expect(metrics.counted("gateway_refusals", { reason: "connect_not_plain" })).toBe(before + 1);
    expect(heard()).toEqual([]);
  });

  test.each<readonly [string, () => string]>([
    ["garbage", () => "\u0000\u0001garbage\r\n\r\n"],
    ["a CONNECT", () => connectTo(attempt.egress)],
  ])(
    "%s behind a call whose answer is on its way: the answer holds nothing else, and the call is cut",
    async (_what, behind) => {
      bench.provider.answer = (response) => {
        response.writeHead(200, EVENT_STREAM);
        response.write(event("response.created"));
      };
      const abandoned = bench.provider.abandoned();
      const socket = connect(bench.socketPath);
      socket.on("error", () => {});
      const pieces: Buffer[] = [];
      socket.on("data", (piece: Buffer) => pieces.push(piece));
      const closed = once(socket, "close");
      socket.write(asked({ isLast: false }));
      await eventually("the answer has begun", () =>
        Buffer.concat(pieces).includes("response.created"),
      );
      socket.write(behind());
      await closed;
      expect(statusesIn(Buffer.concat(pieces).toString())).toEqual([200]);
      await eventually(
        "the provider hears of it",
        () => bench.provider.abandoned() === abandoned + 1,
      );
    },
  );

  test("an agent that hangs up ends all calls it has put on one connection", async () => {
    bench.provider.answer = () => {};
    const abandoned = bench.provider.abandoned();
    const socket = connect(bench.socketPath);
    socket.write(asked({ isLast: false }) + asked({ isLast: false }));
    await eventually("both are on their way", () => heard().length === 2);
    socket.destroy();
    await eventually(
      "the provider hears of both",
      () => bench.provider.abandoned() === abandoned + 2,
    );
  });
});
