import { execFile } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { eventually, testDatabase } from "@speckit/testkit";
import { fetch, ProxyAgent } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MetricsRecorder, metricsRecorder } from "../../../../src/testing/metrics-recorder.ts";
import {
  ALLOWED,
  type EgressBench,
  FORBIDDEN,
  openEgressBench,
  PLAIN,
  REDIRECTING,
  secured,
} from "../fixtures/egress-bench.ts";
import { TIMES } from "../fixtures/serve-gateway.ts";

const database = await testDatabase();
const MEBIBYTE = 1024 * 1024;
let bench: EgressBench;
let metrics: MetricsRecorder;
beforeEach(async () => {
  metrics = metricsRecorder();
  bench = await openEgressBench(database.url, { metrics: metrics.metrics });
});
afterEach(() => bench?.[Symbol.asyncDispose]());

async function tunnel(token: string): Promise<Socket> {
  const { status, socket } = await bench.connect(token, `${PLAIN}:${bench.tcpPort}`);
  expect(status).toBe(200);
  return socket;
}

async function received(socket: Socket): Promise<number> {
  let bytes = 0;
  for await (const piece of socket) {
    bytes += piece.length;
  }
  return bytes;
}

test("bytes go both ways as they are, and are counted", async () => {
  const attempt = await bench.served.attempt();
  const { socket } = await bench.connect(attempt.egress, `${ALLOWED}:${bench.tlsPort}`);
  const tls = await secured(socket, ALLOWED);
  const sent = Buffer.alloc(MEBIBYTE, "speckit");
  const back: Buffer[] = [];
  tls.on("data", (piece: Buffer) => back.push(piece));
  tls.end(sent);
  await once(tls, "end");
  expect(Buffer.concat(back).equals(sent)).toBe(true);
  const [row] = await eventually(
    "the tunnel is closed and counted",
    () => bench.stored(attempt.runId),
    ([one]) => one?.open === 0,
  );
  expect(row).toMatchObject({ host: ALLOWED, port: bench.tlsPort, outcome: "passed", requests: 1 });
  expect(Number(row?.bytes_up)).toBeGreaterThan(MEBIBYTE);
  expect(Number(row?.bytes_down)).toBeGreaterThan(MEBIBYTE);
  expect(metrics.counted("egress_requests", { became: "passed" })).toBe(1);
  expect(metrics.counted("egress_bytes", { way: "up" })).toBe(row?.bytes_up);
  expect(metrics.counted("egress_bytes", { way: "down" })).toBe(row?.bytes_down);
  const open = metrics.told.filter(({ name }) => name === "egress_tunnels_open");
  expect(open.map(({ value }) => value)).toEqual([1, 0]);
});

test("git finds its way by its environment, as it does with any proxy: its hello is understood", async () => {
  const attempt = await bench.served.attempt();
  const url = `https://${ALLOWED}:${bench.tlsPort}/x.git`;
  const env = { PATH: process.env.PATH, HTTPS_PROXY: bench.proxyUrl(attempt.egress) };
  const asked = promisify(execFile)("git", ["-c", "http.sslVerify=false", "ls-remote", url], {
    env,
  });
  // The target only says again what it hears, which is no answer to git; that it hears it is the point.
  await expect(asked).rejects.toThrow();
  const [row] = await eventually(
    "git's tunnel is counted",
    () => bench.stored(attempt.runId),
    ([one]) => one?.open === 0,
  );
  expect(row).toMatchObject({ host: ALLOWED, outcome: "passed" });
  expect(Number(row?.bytes_up)).toBeGreaterThan(300);
  expect(Number(row?.bytes_down)).toBeGreaterThan(300);
});

test("a redirect to another host is asked for anew, and refused", async () => {
  const attempt = await bench.served.attempt();
  const dispatcher = new ProxyAgent({
    uri: bench.proxyUrl(attempt.egress),
    requestTls: { rejectUnauthorized: false },
  });
  const url = `https://${REDIRECTING}:${bench.redirectPort}/`;
  const first = await fetch(url, { dispatcher, redirect: "manual" });
  expect(first.status).toBe(302);
  await expect(fetch(url, { dispatcher })).rejects.toThrow();
  await dispatcher.close();
  await eventually(
    "both are stored",
    () => bench.stored(attempt.runId),
    (rows) =>
      rows.some(({ host, outcome }) => host === FORBIDDEN && outcome === "not_allowed") &&
      rows.some(
        ({ host, outcome, open }) => host === REDIRECTING && outcome === "passed" && open === 0,
      ),
  );
  expect(metrics.counted("egress_requests", { became: "not_allowed" })).toBe(1);
});

test("a gateway that is told to end waits for tunnels as it does for calls, and no longer", async () => {
  const attempt = await bench.served.attempt();
  const socket = await tunnel(attempt.egress);
  const drained = bench.drainGateway(20_000);
  socket.write("still");
  expect(String((await once(socket, "data"))[0])).toBe("still");
  socket.end();
  const startedMs = performance.now();
  await drained;
  expect(performance.now() - startedMs).toBeLessThan(15_000);
});

test("a side that has ended its half still hears what comes", async () => {
  const attempt = await bench.served.attempt();
  const socket = await tunnel(attempt.egress);
  socket.end(Buffer.alloc(3 * MEBIBYTE));
  expect(await received(socket)).toBe(3 * MEBIBYTE);
});

test("a reader that is slow holds its writer back, and nothing piles up", async () => {
  const attempt = await bench.served.attempt();
  const socket = await tunnel(attempt.egress);
  socket.pause();
  const piece = Buffer.alloc(MEBIBYTE);
  let written = 0;
  while (written < 200 && socket.writableLength === 0) {
    socket.write(piece);
    written += 1;
    await Promise.race([
      once(socket, "drain"),
      new Promise((resolve) => setTimeout(resolve, 1_000)),
    ]);
  }
  // What sockets hold on the way, there and back, and no more.
  expect(written).toBeLessThan(64);
  socket.end();
  expect(await received(socket)).toBe(written * MEBIBYTE);
}, 30_000);

test("open tunnels are cut when their attempt ends, and what went through them is stored", async () => {
  const attempt = await bench.served.attempt();
  const other = await bench.served.attempt();
  const [socket, stays] = [await tunnel(attempt.egress), await tunnel(other.egress)];
  socket.write("hello");
  await once(socket, "data");
  await bench.served.attempts.closeAttempt(attempt);
  await once(socket, "close");
  expect(
    await eventually(
      "it is closed",
      () => bench.stored(attempt.runId),
      ([row]) => row?.open === 0,
    ),
  ).toMatchObject([{ bytes_up: 5, bytes_down: 5 }]);
  stays.write("still there");
  expect(String((await once(stays, "data"))[0])).toBe("still there");
  stays.destroy();
});

test("while nobody can say whether an attempt is live its tunnels go on, and are cut when that takes too long", async () => {
  const attempt = await bench.served.attempt();
  const socket = await tunnel(attempt.egress);
  const cutAt = performance.now();
  const closed = once(socket, "close");
  bench.served.proxy.refuse();
  bench.served.proxy.cut();
  socket.write("on");
  expect(String((await once(socket, "data"))[0])).toBe("on");
  await closed;
  expect(performance.now() - cutAt).toBeGreaterThan(TIMES.failClosedMs - TIMES.recheckMs);
  const { status } = await bench.connect(attempt.egress, `${PLAIN}:${bench.tcpPort}`);
  expect(status).toBe(503);
  bench.served.proxy.accept();
  await eventually(
    "it is let in again, and the count of before is kept",
    () => bench.stored(attempt.runId),
    ([row]) => row?.open === 0 && row.bytes_up === 2,
  );
});

test("a gateway that ends cuts its tunnels, and its counts are kept", async () => {
  const attempt = await bench.served.attempt();
  const socket = await tunnel(attempt.egress);
  socket.write("four");
  await once(socket, "data");
  const closed = once(socket, "close");
  await bench.endGateway();
  await closed;
  expect(await bench.stored(attempt.runId)).toMatchObject([
    { bytes_up: 4, bytes_down: 4, open: 0 },
  ]);
});

test("a hundred tunnels at once move 200 MB at flat memory, and one attempt has no more than 128", async () => {
  await using own = await openEgressBench(database.url, { isPatient: true });
  const attempt = await own.served.attempt();
  const open = () => own.connect(attempt.egress, `${PLAIN}:${own.tcpPort}`);
  const sockets = await Promise.all(Array.from({ length: 100 }, async () => (await open()).socket));
  const piece = Buffer.alloc(64 * 1024);
  const move = (pieces: number) =>
    Promise.all(
      sockets.map(async (socket) => {
        let left = pieces * piece.length;
        const back = new Promise<void>((resolve) => {
          const onData = (some: Buffer): void => {
            left -= some.length;
            if (left === 0) {
              socket.off("data", onData);
              resolve();
            }
          };
          socket.on("data", onData);
        });
        for (let sent = 0; sent < pieces; sent += 1) {
          if (!socket.write(piece)) {
            await once(socket, "drain");
          }
        }
        await back;
      }),
    );
  await move(4);
  const before = process.memoryUsage().rss;
  await move(32);
  expect((process.memoryUsage().rss - before) / MEBIBYTE).toBeLessThan(100);
  const more = await Promise.all(Array.from({ length: 40 }, open));
  expect(more.filter(({ status }) => status === 200)).toHaveLength(28);
  expect(more.filter(({ status }) => status === 429)).toHaveLength(12);
  for (const socket of [...sockets, ...more.map((answer) => answer.socket)]) {
    socket.destroy();
  }
}, 60_000);
