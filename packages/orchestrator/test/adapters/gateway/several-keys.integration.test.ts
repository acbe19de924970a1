import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { metricsRecorder } from "../../../src/testing/metrics-recorder.ts";
import { callIn, completeIn, DIALECTS } from "./fixtures/dialects.ts";
import { type Bench, callModel, errorOf, openBench } from "./fixtures/open-gateway.ts";
import { complete, type ProviderAnswer, refuse } from "./fixtures/provider.ts";

const KEYS = ["sk-canary-one", "sk-canary-two", "sk-canary-three"] as const;
const nameOf = (key: string) =>
  `codex/${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;

let bench: Bench;
let metrics: ReturnType<typeof metricsRecorder>;
beforeEach(async () => {
  metrics = metricsRecorder();
  bench = await openBench({ apiKeys: KEYS, metrics: metrics.metrics });
});
afterEach(() => bench[Symbol.asyncDispose]());

const keysAsked = () =>
  bench.provider.requests.map(({ headers }) => headers.authorization?.replace("Bearer ", ""));

/** What each key is answered; a key that is not named does its work. */
function answerBy(answers: Readonly<Record<string, ProviderAnswer>>): void {
  bench.provider.answer = (response, request) => {
    const key = request.headers.authorization?.replace("Bearer ", "") ?? "";
    return (answers[key] ?? complete())(response, request);
  };
}

/** A run whose turn begins with this key: which one is first follows from the run. */
async function openWithFirst(key: string) {
  for (;;) {
    const access = await bench.open();
    await (await callModel(access)).text();
    if (keysAsked().at(-1) === key) {
      return access;
    }
  }
}

describe("several keys of a provider", () => {
  test("are used by many runs in turns, and each run stays with one", async () => {
    const accesses = await Promise.all(Array.from({ length: 30 }, () => bench.open()));
    for (const access of accesses) {
      const before = bench.provider.requests.length;
      await (await callModel(access)).text();
      await (await callModel(access)).text();
      expect(new Set(keysAsked().slice(before)).size).toBe(1);
    }
    expect(new Set(keysAsked())).toEqual(new Set(KEYS));
  });

  test.each<[string, ProviderAnswer, number]>([
    [
      "has a rate limit",
      refuse(429, { code: "rate_limit_exceeded" }, { "retry-after": "20" }),
      20_000,
    ],
    ["has used up its quota", refuse(429, { code: "insufficient_quota" }), 900_000],
  ])(
    "the next one is taken at once when one %s, which then rests for its own time",
    async (_, answer, forMs) => {
      const [one] = KEYS;
      const access = await openWithFirst(one);
      answerBy({ [one]: answer });
      const before = bench.provider.requests.length;
      const response = await callModel(access);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("response.completed");
      expect(keysAsked().slice(before)).toHaveLength(2);
      await (await callModel(access)).text();
      expect(keysAsked().slice(before + 2)).not.toContain(one);
      const restsMs = await bench.credentials.coolingForMs(nameOf(one));
      expect(restsMs).toBeGreaterThan(forMs - 5_000);
      expect(restsMs).toBeLessThanOrEqual(forMs);
      // Runs go on as long as one key may be used.
      expect(await bench.credentials.coolingForMs("codex")).toBe(0);
      expect((await access.report()).calls.every(({ outcome }) => outcome === "completed")).toBe(
        true,
      );
    },
  );

  test("all resting, it is as with a single one: nobody asks, and runs wait for the first that is free", async () => {
    answerBy({
      [KEYS[0]]: refuse(429, {}, { "retry-after": "500" }),
      [KEYS[1]]: refuse(429, {}, { "retry-after": "30" }),
      [KEYS[2]]: refuse(429, { code: "insufficient_quota" }),
    });
    const access = await bench.open();
    const first = await callModel(access);
    expect(first.status).toBe(429);
    expect(Number(first.headers.get("retry-after"))).toBeLessThanOrEqual(30);
    expect(new Set(keysAsked())).toEqual(new Set(KEYS));
    const second = await callModel(await bench.open());
    expect(await errorOf(second)).toMatchObject({ code: "credential_cooling" });
    expect(bench.provider.requests).toHaveLength(3);
    const [call] = (await access.report()).calls;
    expect(call?.resetsInMs).toBeGreaterThan(25_000);
    expect(call?.resetsInMs).toBeLessThanOrEqual(30_000);
    const restsMs = await bench.credentials.coolingForMs("codex");
    expect(restsMs).toBeGreaterThan(25_000);
    expect(restsMs).toBeLessThanOrEqual(30_000);
    expect(metrics.counted("key_rests")).toBe(3);
    expect(metrics.counted("gateway_refusals", { reason: "credential_cooling" })).toBe(1);
  });

  test("one that is refused is passed over, and is no reason to wait", async () => {
    const [one] = KEYS;
    const access = await openWithFirst(one);
    answerBy({ [one]: refuse(401, { code: "invalid_api_key", message: `No ${one}` }) });
    const before = bench.provider.requests.length;
    expect((await callModel(access)).status).toBe(200);
    expect((await callModel(access)).status).toBe(200);
    expect(
      keysAsked()
        .slice(before)
        .filter((key) => key === one),
    ).toHaveLength(1);
    expect(await bench.credentials.coolingForMs(nameOf(one))).toBe(0);
    expect(JSON.stringify(bench.logged)).not.toContain(one);
  });

  test("all refused, the agent hears the provider's own word, without a key in it", async () => {
    answerBy(
      Object.fromEntries(
        KEYS.map((key) => [key, refuse(403, { code: "denied", message: KEYS.join() })]),
      ),
    );
    const access = await bench.open();
    for (const asked of [3, 4]) {
      const response = await callModel(access);
      const text = await response.text();
      expect(response.status).toBe(403);
      expect(text).toContain("[redacted],[redacted],[redacted]");
      expect(bench.provider.requests).toHaveLength(asked);
    }
    expect((await access.report()).calls).toMatchObject([{ status: 403 }, { status: 403 }]);
  });

  test("none is tried for what the agent has asked wrongly", async () => {
    bench.provider.answer = refuse(400, { code: "unsupported_value" });
    expect((await callModel(await bench.open())).status).toBe(400);
    expect(bench.provider.requests).toHaveLength(1);
  });

  test("a limit in the middle of a stream is the agent's to try again, with another key", async () => {
    const access = await bench.open();
    bench.provider.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        'event: response.failed\ndata: {"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded"}}}\n\n',
      );
    };
    expect((await callModel(access)).status).toBe(200);
    expect(bench.provider.requests).toHaveLength(1);
    bench.provider.answer = complete();
    expect((await callModel(access)).status).toBe(200);
    expect(new Set(keysAsked()).size).toBe(2);
  });
});

test.each(DIALECTS)("a key of $provider is exchanged in its own header", async (dialect) => {
  const seen: unknown[] = [];
  bench.provider.answer = (response, request) => {
    const [name = ""] = Object.keys(dialect.auth(""));
    seen.push(request.headers[name]);
    const answer =
      seen.length === 1 ? refuse(429, {}, { "retry-after": "9" }) : completeIn(dialect);
    return answer(response, request);
  };
  const response = await callIn(dialect, await bench.open());
  expect(await response.text()).toBe(dialect.begin + dialect.finish);
  expect(new Set(seen).size).toBe(2);
});
