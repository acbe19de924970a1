import { once } from "node:events";
import { eventually, testDatabase } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ALLOWED,
  connectText,
  type EgressBench,
  openEgressBench,
  PLAIN,
  secured,
} from "../fixtures/egress-bench.ts";
import type { ServedAttempt } from "../fixtures/serve-gateway.ts";

const database = await testDatabase();
let bench: EgressBench;
let attempt: ServedAttempt;
beforeAll(async () => {
  bench = await openEgressBench(database.url);
  attempt = await bench.served.attempt();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** What is stored of an attempt, without its numbers. */
const outcomes = async (runId: string): Promise<readonly string[]> =>
  (await bench.stored(runId)).map(({ host, port, outcome }) => `${host}:${port} ${outcome}`);

/** Nothing at a target was reached while this was done. */
async function withoutReaching<T>(work: () => Promise<T>): Promise<T> {
  const before = bench.reached();
  const result = await work();
  expect(bench.reached()).toBe(before);
  return result;
}

test("an allowed target is reached, so that what follows means something", async () => {
  const { status, socket } = await bench.connect(attempt.egress, `${ALLOWED}:${bench.tlsPort}`);
  expect(status).toBe(200);
  const tls = await secured(socket, ALLOWED);
  tls.write("there and back");
  expect(String((await once(tls, "data"))[0])).toBe("there and back");
  tls.destroy();
});

describe("a target is refused", () => {
  test.each<[string, (port: number) => string, string]>([
    ["whose name is not on the list", (port) => `forbidden.example.org:${port}`, "not_allowed"],
    ["that is on it on another port", () => `${ALLOWED}:22`, "not_allowed"],
    ["that is on it in another phase", (port) => `other-phase.example.org:${port}`, "not_allowed"],
    ["above a starred name", (port) => `deep.example.org:${port}`, "not_allowed"],
    ["that ends as a starred name does", (port) => `evildeep.example.org:${port}`, "not_allowed"],
    ["by a dotted address", (port) => `127.0.0.1:${port}`, "malformed_target"],
    ["by a short address", (port) => `127.1:${port}`, "malformed_target"],
    ["by a decimal address", (port) => `2130706433:${port}`, "malformed_target"],
    ["by an octal address", (port) => `0177.0.0.1:${port}`, "malformed_target"],
    ["by a hexadecimal address", (port) => `0x7f.0.0.0x1:${port}`, "malformed_target"],
    ["by a hexadecimal number", (port) => `0x7f000001:${port}`, "malformed_target"],
    ["by an IPv6 address", (port) => `[::1]:${port}`, "malformed_target"],
    ["by a mapped address", (port) => `[::ffff:127.0.0.1]:${port}`, "malformed_target"],
    ["with a dot at its end", (port) => `${ALLOWED}.:${port}`, "malformed_target"],
    ["without a port", () => ALLOWED, "malformed_target"],
    ["with a user", (port) => `user@${ALLOWED}:${port}`, "malformed_target"],
    ["of one label", (port) => `localhost:${port}`, "malformed_target"],
    ["with a port that begins with 0", (port) => `${ALLOWED}:0${port}`, "malformed_target"],
    ["with a URL", (port) => `http://${ALLOWED}:${port}/`, "malformed_target"],
  ])("%s", async (_what, authority, reason) => {
    const own = await bench.served.attempt();
    const target = authority(bench.tlsPort);
    const { status, text } = await withoutReaching(() => bench.connect(own.egress, target));
    expect([status, text]).toEqual([403, expect.stringContaining(reason)]);
    expect(await outcomes(own.runId)).toEqual([expect.stringMatching(`${reason}$`)]);
  });

  test("in capital letters is the same target", async () => {
    const authority = `ALLOWED.Example.ORG:${bench.tlsPort}`;
    const { status, socket } = await bench.connect(attempt.egress, authority);
    expect(status).toBe(200);
    (await secured(socket, "Allowed.example.org")).destroy();
  });

  test.each([
    ["loopback", ["127.0.0.2"]],
    ["a private address", ["10.0.0.1"]],
    ["the metadata address", ["169.254.169.254"]],
    ["carrier-grade NAT", ["100.64.0.1"]],
    ["IPv4 mapped into IPv6", ["::ffff:127.0.0.1"]],
    ["NAT64", ["64:ff9b::7f00:1"]],
    ["6to4", ["2002:7f00:1::"]],
    ["a public address and a private one", ["127.0.0.1", "10.0.0.1"]],
  ])("whose name leads to %s", async (_what, addresses) => {
    const own = await bench.served.attempt();
    bench.names.set("a.deep.example.org", addresses);
    const target = `a.deep.example.org:${bench.tlsPort}`;
    const { status, text } = await withoutReaching(() => bench.connect(own.egress, target));
    expect([status, text]).toEqual([403, expect.stringContaining("private_address")]);
    expect(await outcomes(own.runId)).toEqual([`${target} private_address`]);
  });

  test("whose name means something else a moment later: it is asked for once, and that answer is connected to", async () => {
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    bench.names.set("b.deep.example.org", async () => answers.shift() ?? []);
    const authority = `b.deep.example.org:${bench.tlsPort}`;
    const before = bench.asked.length;
    const first = await bench.connect(attempt.egress, authority);
    expect(first.status).toBe(200);
    (await secured(first.socket, "b.deep.example.org")).destroy();
    expect(bench.asked.slice(before)).toEqual(["b.deep.example.org"]);
    expect((await withoutReaching(() => bench.connect(attempt.egress, authority))).status).toBe(
      403,
    );
  });

  test.each<[string, () => Promise<readonly string[]>, string]>([
    ["has no address", async () => [], "unresolved"],
    ["is not known in time", () => new Promise(() => {}), "unresolved"],
    ["is not known at all", () => Promise.reject(new Error("ENOTFOUND")), "unresolved"],
  ])("whose name %s", async (_what, answer, reason) => {
    bench.names.set("c.deep.example.org", answer);
    const own = await bench.served.attempt();
    const target = `c.deep.example.org:${bench.tlsPort}`;
    const { status, text } = await bench.connect(own.egress, target);
    expect([status, text]).toEqual([502, expect.stringContaining(reason)]);
    expect(await outcomes(own.runId)).toEqual([`${target} ${reason}`]);
  });

  test("where nobody answers", async () => {
    bench.names.set("closed.example.org", ["127.0.0.1"]);
    const { status, text } = await bench.connect(attempt.egress, "closed.example.org:1");
    expect([status, text]).toEqual([502, expect.stringContaining("unreachable")]);
  });
});

describe("a tunnel is cut before its target hears a byte", () => {
  /** Opens a tunnel, and sends what a test says; resolves when it is cut. */
  async function cutAfter(
    send: (socket: Awaited<ReturnType<EgressBench["connect"]>>["socket"]) => void,
  ) {
    const own = await bench.served.attempt();
    const { status, socket } = await bench.connect(own.egress, `${ALLOWED}:${bench.tlsPort}`);
    expect(status).toBe(200);
    let heard = 0;
    socket.on("data", (piece: Buffer) => {
      heard += piece.length;
    });
    const closed = once(socket, "close");
    const ended = once(socket, "end");
    send(socket);
    await Promise.race([closed, ended]);
    socket.destroy();
    expect(heard).toBe(0);
    const [row] = await eventually(
      "it is stored",
      () => bench.stored(own.runId),
      ({ length }) => length > 0,
    );
    expect(row).toMatchObject({ requests: 1, bytes_up: 0, bytes_down: 0, open: 0 });
    return row?.outcome;
  }

  test.each([
    ["another server's name", "other.example.org", "other_server_name"],
    ["the name of a server below it", `a.${ALLOWED}`, "other_server_name"],
    ["no name", "", "no_server_name"],
  ])("whose ClientHello has %s", async (_what, servername, reason) => {
    expect(
      await cutAfter((socket) => {
        secured(socket, servername).catch(() => {});
      }),
    ).toBe(reason);
  });

  test.each([
    ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["SSH", "SSH-2.0-OpenSSH_9\r\n"],
    ["another CONNECT", connectText("x", "allowed.example.org:443")],
  ])("that begins with %s", async (_what, text) => {
    expect(await cutAfter((socket) => void socket.write(text))).toBe("no_client_hello");
  });

  test("in which nothing comes in time, or half a hello, or the end", async () => {
    expect(await cutAfter(() => {})).toBe("no_client_hello");
    expect(await cutAfter((socket) => void socket.write(Buffer.from([22, 3, 1, 2])))).toBe(
      "no_client_hello",
    );
    expect(await cutAfter((socket) => void socket.end())).toBe("no_client_hello");
  });
});

describe("a token opens no tunnel", () => {
  const target = () => `${PLAIN}:${bench.tcpPort}`;

  test("of another purpose, forged, or none", async () => {
    const [head, body] = attempt.egress.split(".");
    for (const token of [attempt.model, attempt.start, `${head}.${body}.x`, "x", ""]) {
      const { status, text } = await withoutReaching(() => bench.connect(token, target()));
      expect([status, text]).toEqual([407, expect.stringContaining("invalid_token")]);
    }
  });

  test.each([
    ["as a bearer", (token: string) => `Authorization: Bearer ${token}`],
    ["as a proxy's bearer", (token: string) => `Proxy-Authorization: Bearer ${token}`],
    [
      "of another user",
      (token: string) =>
        `Proxy-Authorization: Basic ${Buffer.from(`me:${token}`).toString("base64")}`,
    ],
    [
      "given twice",
      (token: string) => {
        const line = `Proxy-Authorization: Basic ${Buffer.from(`egress:${token}`).toString("base64")}`;
        return `${line}\r\n${line}`;
      },
    ],
  ])("%s", async (_what, header) => {
    const text = `CONNECT ${target()} HTTP/1.1\r\nHost: x\r\n${header(attempt.egress)}\r\n\r\n`;
    expect((await withoutReaching(() => bench.send(text))).status).toBe(407);
  });

  test("of an attempt that has ended", async () => {
    const own = await bench.served.attempt();
    await bench.served.attempts.closeAttempt(own);
    expect((await withoutReaching(() => bench.connect(own.egress, target()))).status).toBe(407);
  });

  test("to be used where models are called", async () => {
    expect((await bench.served.callModel(attempt.egress)).status).toBe(401);
  });
});

describe("a request that two readers could understand differently is refused", () => {
  const plain = (more: string) => connectText(attempt.egress, `${PLAIN}:${bench.tcpPort}`, more);

  test.each<[string, () => string]>([
    ["a CONNECT with a length", () => `${plain("Content-Length: 5\r\n")}hello`],
    ["a CONNECT with a length of 0", () => plain("Content-Length: 0\r\n")],
    ["a CONNECT in chunks", () => `${plain("Transfer-Encoding: chunked\r\n")}0\r\n\r\n`],
    ["a CONNECT with two lengths", () => plain("Content-Length: 5\r\nContent-Length: 6\r\n")],
    [
      "a CONNECT with length and chunks",
      () => plain("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    ],
    ["a CONNECT that asks to go on", () => plain("Expect: 100-continue\r\n")],
    [
      "a CONNECT with a second request behind it",
      () => `${plain("")}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    ["a folded header", () => plain("X-Folded: a\r\n b\r\n")],
    ["a header with a space before its colon", () => plain("X-Spaced : a\r\n")],
    ["a header without a colon", () => plain("Nothing\r\n")],
    ["lines that end with a bare LF", () => plain("").replaceAll("\r\n", "\n")],
    ["a target with a space in it", () => plain("").replace("CONNECT ", "CONNECT a ")],
    [
      "two lengths",
      () =>
        "POST /openai/v1/responses HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    ],
    [
      "length and chunks",
      () =>
        "POST /openai/v1/responses HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "chunks under another name",
      () =>
        "POST /openai/v1/responses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
  ])("%s", async (_what, text) => {
    const { status } = await withoutReaching(() => bench.send(text()));
    expect(status).toBe(400);
  });

  test.each([
    ["GET", "http://allowed.example.org/"],
    ["POST", "https://allowed.example.org/"],
    ["GET", "http://169.254.169.254/latest/meta-data/"],
  ])("%s of a whole URL is not forwarded, and says how to ask", async (method, url) => {
    const credentials = Buffer.from(`egress:${attempt.egress}`).toString("base64");
    const { status, text } = await withoutReaching(() =>
      bench.send(
        `${method} ${url} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${credentials}\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    expect([status, text]).toEqual([405, expect.stringContaining("goes by CONNECT")]);
  });
});

test("a thousand made-up names are some rows, and each request is counted", async () => {
  const own = await bench.served.attempt();
  const names = Array.from({ length: 1_000 }, (_value, at) => `n${at}.example.org:443`);
  while (names.length > 0) {
    const some = names.splice(0, 50);
    await Promise.all(
      some.map(async (name) => (await bench.connect(own.egress, name)).socket.destroy()),
    );
  }
  const rows = await bench.stored(own.runId);
  expect(rows.length).toBeLessThanOrEqual(201);
  expect(rows.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(1_000);
  expect(rows.map(({ host }) => host)).toContain("(others)");
}, 60_000);
