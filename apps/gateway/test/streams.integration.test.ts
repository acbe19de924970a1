import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { eventually, type RunningProgram, testDatabase } from "@speckit/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  EVENT_STREAM,
  type GatewayBench,
  openGatewayBench,
  SHAPES,
  type Shape,
} from "./gateway-bench.ts";

const database = await testDatabase();
const MEBIBYTE = 1024 * 1024;
const STREAMS = 100;
/** An attempt may have 16 calls open. */
const OF_AN_ATTEMPT = 10;
const PIECE = "x".repeat(16_000);
let bench: GatewayBench;
let gateway: RunningProgram;
let tokens: readonly string[];
beforeAll(async () => {
  bench = await openGatewayBench(database.url);
  gateway = await bench.start();
});
beforeEach(async () => {
  const attempts = Array.from({ length: STREAMS / OF_AN_ATTEMPT }, () => bench.attempt());
  tokens = (await Promise.all(attempts)).map(({ token }) => token);
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const shapeOf = (ix: number): Shape => SHAPES[ix % SHAPES.length] as Shape;

async function begun(ix: number): Promise<IncomingMessage> {
  const call = bench.open(shapeOf(ix), tokens[ix % tokens.length] as string);
  call.on("error", () => {});
  call.end(JSON.stringify({ model: "m", stream: true }));
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  answer.on("error", () => {});
  return answer;
}

const allBegun = (streams = STREAMS): Promise<readonly IncomingMessage[]> =>
  Promise.all(Array.from({ length: streams }, (_, ix) => begun(ix)));

/** @returns how many bytes came, and the last of them */
async function readWhole(answer: IncomingMessage): Promise<{ bytes: number; end: string }> {
  let bytes = 0;
  let last = Buffer.alloc(0);
  for await (const piece of answer) {
    bytes += piece.length;
    last = Buffer.concat([last, piece as Buffer]).subarray(-500);
  }
  return { bytes, end: last.toString() };
}

/** The most memory the gateway has had resident so far. */
async function peakBytes(): Promise<number> {
  const status = await readFile(`/proc/${gateway.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** Waits for the reader where it is slow. */
async function send(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        response.off("drain", goOn).off("close", goOn);
        resolve();
      };
      response.on("drain", goOn).on("close", goOn);
    });
  }
}

test("with a hundred open, each piece arrives before the next one is sent", async () => {
  const rounds = 3;
  let arrived = 0;
  const next = Array.from({ length: rounds }, () => Promise.withResolvers<void>());
  bench.answer = async (response, { begin, middle, finish }) => {
    response.writeHead(200, EVENT_STREAM);
    response.write(begin);
    for (const { promise } of next) {
      await promise;
      response.write(middle("a piece"));
    }
    response.end(finish);
  };
  const answers = await allBegun();
  for (const answer of answers) {
    answer.on("data", () => {
      arrived += 1;
    });
  }
  const ended = answers.map((answer) => once(answer, "end"));
  for (const [ix, { resolve }] of next.entries()) {
    await eventually("all have got it", () => arrived >= STREAMS * (ix + 1));
    resolve();
  }
  await Promise.all(ended);
});

test("a hundred streams at once take the same memory however long they are", async () => {
  const streamed = async (pieces: number): Promise<number> => {
    bench.answer = async (response, { begin, middle, finish }) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(begin);
      const piece = middle(PIECE);
      for (let sent = 0; sent < pieces && !response.destroyed; sent += 1) {
        await send(response, piece);
      }
      response.end(finish);
    };
    const whole = await Promise.all((await allBegun()).map(readWhole));
    for (const [ix, { bytes, end }] of whole.entries()) {
      expect(bytes).toBeGreaterThan(pieces * PIECE.length);
      expect(end.endsWith(shapeOf(ix).finish)).toBe(true);
    }
    return peakBytes();
  };
  // Once for the code and the buffers that any hundred streams need.
  const short = await streamed(20);
  const long = await streamed(150);
  // 32 MB went through, then 240 MB: whoever keeps what passes needs 200 MB more.
  expect((long - short) / MEBIBYTE).toBeLessThan(80);
});

test("readers that are slow hold the provider back, and the gateway keeps nothing for them", async () => {
  const streams = 6;
  const most = 64 * MEBIBYTE;
  const before = await peakBytes();
  let sent = 0;
  let isOver = false;
  bench.answer = async (response, { begin, middle, finish }) => {
    response.writeHead(200, EVENT_STREAM);
    response.write(begin);
    const piece = middle("x".repeat(4 * PIECE.length));
    for (let mine = 0; mine < most && !isOver && !response.destroyed; mine += piece.length) {
      sent += piece.length;
      await send(response, piece);
    }
    response.end(finish);
  };
  const answers = await allBegun(streams);
  let last = -1;
  const held = await eventually(
    "the provider has to wait",
    () => sent,
    (now) => {
      const isStill = now === last;
      last = now;
      return isStill;
    },
    { everyMs: 1_000, withinMs: 120_000 },
  );
  // What sockets hold on the way is the kernel's.
  expect(held).toBeLessThan((streams * most) / 2);
  expect(((await peakBytes()) - before) / MEBIBYTE).toBeLessThan(60);
  isOver = true;
  const whole = await Promise.all(answers.map(readWhole));
  expect(whole.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(held);
  expect(whole.every(({ end }, ix) => end.endsWith(shapeOf(ix).finish))).toBe(true);
});

test("who hangs up ends its call at the provider, what the provider breaks off ends for its agent, and the others go on", async () => {
  const open: ServerResponse[] = [];
  bench.answer = (response, { begin }) => {
    response.writeHead(200, EVENT_STREAM);
    response.write(begin);
    open.push(response);
  };
  const answers = await allBegun();
  const closed = answers.map(
    (answer) => new Promise<void>((resolve) => answer.once("close", resolve)),
  );
  for (const answer of answers) {
    answer.resume();
  }
  const before = bench.abandoned();
  const leaving = answers.slice(0, STREAMS / 2);
  for (const answer of leaving) {
    answer.destroy();
  }
  await eventually(
    "the provider hears of each that has hung up",
    () => bench.abandoned() - before,
    (seen) => seen === leaving.length,
  );
  const staying = open.filter(({ destroyed }) => !destroyed);
  expect(staying).toHaveLength(STREAMS / 2);
  for (const response of staying) {
    response.destroy();
  }
  await Promise.all(closed);
  expect(answers.slice(STREAMS / 2).every(({ complete }) => !complete)).toBe(true);
});
