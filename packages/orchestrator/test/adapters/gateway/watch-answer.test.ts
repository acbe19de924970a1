import { seededRandom, testSeed } from "@speckit/testkit";
import { describe, expect, test } from "vitest";
import { openai } from "../../../src/adapters/gateway/shapes/openai.ts";
import { watchAnswer } from "../../../src/adapters/gateway/watch-answer.ts";
import { event, USAGE } from "./fixtures/provider.ts";

const now = () => new Date("2026-11-25T07:00:00Z");
const SEEN = {
  outcome: "completed",
  errorCode: null,
  resetsInMs: null,
  usage: { inputTokens: 1_000, cachedInputTokens: 64, outputTokens: 50 },
};

function watched(pieces: Iterable<Uint8Array>) {
  const watch = watchAnswer("text/event-stream; charset=utf-8", now, openai);
  const seen = [...pieces].flatMap((piece) => watch.see(piece) ?? []);
  return { seen, end: watch.end() };
}

function* cutUp(text: string, sizes: () => number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const size = sizes();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe("a stream's end is seen", () => {
  const text =
    event("response.created", { response: {} }) +
    event("response.output_text.delta", { delta: 'Grüße 🎉 "response.completed"\n' }) +
    event("response.completed", { response: { usage: USAGE } });

  test("once, however the stream is cut up", () => {
    const random = seededRandom(testSeed("cut-up streams"));
    for (const most of [1, 2, 7, 100]) {
      const pieces = cutUp(text, () => 1 + random.int(most));
      expect(watched(pieces)).toEqual({ seen: [SEEN], end: undefined });
    }
    expect(watched([Buffer.from(text.replaceAll("\n", "\r\n"))]).seen).toEqual([SEEN]);
  });

  test("by the data alone, when events have no names", () => {
    const nameless = text.replaceAll(/^event: .*\n/gm, "");
    expect(watched([Buffer.from(nameless)]).seen).toEqual([SEEN]);
  });

  test("not in what only looks like one", () => {
    const quoted = event("response.output_text.delta", {
      delta: event("response.completed", { response: { usage: USAGE } }),
    });
    expect(watched([Buffer.from(quoted.replace(/^event.*\n/, ""))])).toEqual({
      seen: [],
      end: undefined,
    });
  });

  test("with usage unknown, when it makes no sense", () => {
    for (const usage of [
      null,
      5,
      {},
      { input_tokens: -1, output_tokens: 1 },
      { input_tokens: "1", output_tokens: 1 },
    ]) {
      const odd = event("response.completed", { response: { usage } });
      expect(watched([Buffer.from(odd)]).seen).toEqual([{ ...SEEN, usage: null }]);
    }
  });
});

describe("memory stays bounded", () => {
  const filler = Buffer.alloc(1024 * 1024, "x");

  test("with an event of any size, after which the end is still seen", () => {
    function* huge() {
      yield Buffer.from("data: ");
      for (let piece = 0; piece < 40; piece += 1) {
        yield filler;
      }
      yield Buffer.from(`\n\n${event("response.completed", { response: { usage: USAGE } })}`);
    }
    const before = process.memoryUsage().heapUsed;
    expect(watched(huge()).seen).toEqual([SEEN]);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(120 * 1024 * 1024);
  });

  test("with an end too large to be read: complete, with usage unknown", () => {
    function* huge() {
      yield Buffer.from("event: response.completed\ndata: ");
      for (let piece = 0; piece < 10; piece += 1) {
        yield filler;
      }
      yield Buffer.from("\n\n");
    }
    expect(watched(huge())).toEqual({ seen: [], end: { ...SEEN, usage: null } });
  });

  test("with garbage of any kind", () => {
    const random = seededRandom(testSeed("cut-up streams"));
    const garbage = Array.from({ length: 2_000 }, () =>
      Uint8Array.from({ length: 50 }, () => random.int(256)),
    );
    expect(watched(garbage).seen).toEqual([]);
  });
});

test("what is neither a stream nor JSON is not read", () => {
  const watch = watchAnswer("text/html", now, openai);
  expect(watch.see(Buffer.from(event("response.completed", { response: {} })))).toBeUndefined();
  expect(watch.end()).toBeUndefined();
});
