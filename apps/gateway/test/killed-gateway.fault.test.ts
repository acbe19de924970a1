import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { eventually, type RunningProgram, testDatabase } from "@speckit/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  completed,
  EVENT_STREAM,
  type GatewayBench,
  openGatewayBench,
  SHAPES,
  type Shape,
} from "./gateway-bench.ts";

const database = await testDatabase();
const BODY = JSON.stringify({ model: "m", stream: true });
let bench: GatewayBench;
let gateway: RunningProgram;
beforeAll(async () => {
  bench = await openGatewayBench(database.url);
  gateway = await bench.start();
});
beforeEach(() => {
  bench.answer = completed;
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** One try of an agent: whole, an error's status, or a broken connection. Whatever comes, it ends. */
async function tryOnce(shape: Shape, token: string): Promise<"whole" | number | "broken"> {
  try {
    const call = bench.open(shape, token);
    call.end(BODY);
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    const body = await text(answer);
    return answer.statusCode === 200 && body.endsWith(shape.finish)
      ? "whole"
      : (answer.statusCode ?? 0);
  } catch {
    return "broken";
  }
}

/** As agents do: again and again. */
const retried = (shape: Shape, token: string) =>
  eventually(
    "a retry comes through",
    () => tryOnce(shape, token),
    (became) => became === "whole",
    { withinMs: 60_000, everyMs: 100 },
  );

async function kill(): Promise<void> {
  gateway.kill("SIGKILL");
  await gateway.result;
}

async function startAgain(): Promise<void> {
  gateway = await bench.start();
}

interface BegunCall {
  /** How it ends for its agent. */
  readonly ended: Promise<string>;
  readonly hasReachedProvider: boolean;
}

/** Each leaves a call in one of its states. */
const MOMENTS: Readonly<Record<string, (shape: Shape, token: string) => Promise<BegunCall>>> = {
  async "while the call's body is on its way"(shape, token) {
    const call = bench.open(shape, token);
    const ended = once(call, "response").then(
      ([answer]) => `status ${answer.statusCode}`,
      () => "broken",
    );
    await new Promise((resolve) => call.write(BODY.slice(0, 5), resolve));
    return { ended, hasReachedProvider: false };
  },
  async "before the provider has answered"(shape, token) {
    const before = bench.asked();
    bench.answer = () => {};
    const ended = tryOnce(shape, token).then(String);
    await eventually("the provider is asked", () => bench.asked() > before);
    return { ended, hasReachedProvider: true };
  },
  async "in the middle of the stream"(shape, token) {
    bench.answer = (response, { begin }) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(begin);
    };
    const call = bench.open(shape, token);
    call.end(BODY);
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    await once(answer, "data");
    const ended = text(answer).then(
      () => "ended in good order",
      () => "broken",
    );
    return { ended, hasReachedProvider: true };
  },
};

describe.each(Object.entries(MOMENTS))("a gateway that is killed %s", (_when, begin) => {
  test("breaks the call for agent and provider of each shape, and a retry comes through the next one", async () => {
    const attempts = await Promise.all(SHAPES.map(() => bench.attempt()));
    const before = bench.abandoned();
    const calls: BegunCall[] = [];
    for (const [ix, shape] of SHAPES.entries()) {
      calls.push(await begin(shape, attempts[ix]!.token));
    }
    await kill();
    // The agent hears of it at once, and not by a time-out of its own.
    expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual(SHAPES.map(() => "broken"));
    const reached = calls.filter(({ hasReachedProvider }) => hasReachedProvider).length;
    await eventually(
      "the provider hears of it too",
      bench.abandoned,
      (seen) => seen - before === reached,
    );
    // While there is none, a call ends at once as well.
    expect(await tryOnce(SHAPES[0]!, attempts[0]!.token)).toBe("broken");
    bench.answer = completed;
    const retries = SHAPES.map((shape, ix) => retried(shape, attempts[ix]!.token));
    await startAgain();
    await Promise.all(retries);
    for (const { runId } of attempts) {
      // What was cut by the kill is told by nobody; the retry counts once.
      expect(await bench.recorded(runId)).toEqual(["completed"]);
    }
  });
});

test("a gateway that is killed between two calls of each shape: the second one counts on where the first has ended", async () => {
  const attempts = await Promise.all(SHAPES.map(() => bench.attempt()));
  await Promise.all(SHAPES.map((shape, ix) => retried(shape, attempts[ix]!.token)));
  await kill();
  await startAgain();
  await Promise.all(SHAPES.map((shape, ix) => retried(shape, attempts[ix]!.token)));
  for (const { runId } of attempts) {
    expect(await bench.recorded(runId)).toEqual(["completed", "completed"]);
  }
});
