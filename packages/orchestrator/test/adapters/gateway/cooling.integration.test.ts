import { eventually } from "@speckit/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { SpeckitError } from "../../../src/domain/speckit-error.ts";
import type { CredentialRepository } from "../../../src/ports/credential-repository.ts";
import { type Bench, callModel, errorOf, openBench } from "./fixtures/open-gateway.ts";
import { complete, type ProviderAnswer, refuse, streamed } from "./fixtures/provider.ts";

let bench: Bench;
afterEach(() => bench[Symbol.asyncDispose]());

describe("a provider that asks to wait", () => {
  test.each<[string, ProviderAnswer, number]>([
    ["retry-after", refuse(429, {}, { "retry-after": "20" }), 20_000],
    ["no time at all", refuse(429, { code: "rate_limit_exceeded" }), 60_000],
    ["a used-up quota", refuse(429, { code: "insufficient_quota" }), 900_000],
    [
      "a usage limit with an end",
      refuse(429, { type: "usage_limit_reached", resets_in_seconds: 3_600 }),
      3_600_000,
    ],
    ["a bill to be paid", refuse(402, {}), 900_000],
    ["a time that is over", refuse(429, {}, { "retry-after": "0" }), 1_000],
    ["a time in a year", refuse(429, {}, { "retry-after": "31536000" }), 86_400_000],
    [
      "a failed stream",
      streamed("response.failed", {
        response: { error: { code: "rate_limit_exceeded", message: "try again in 30s" } },
      }),
      30_000,
    ],
  ])("by %s lets the credential rest", async (_, answer, forMs) => {
    bench = await openBench();
    bench.provider.answer = answer;
    await (await callModel(await bench.open())).text();
    const left = await bench.credentials.coolingForMs("codex");
    expect(left).toBeLessThanOrEqual(forMs);
    expect(left).toBeGreaterThan(forMs - 900);
  });

  test("an overload or a wrong request lets nothing rest", async () => {
    bench = await openBench();
    for (const status of [400, 401, 404, 500, 503]) {
      bench.provider.answer = refuse(status, {}, { "retry-after": "20" });
      await (await callModel(await bench.open())).text();
    }
    expect(await bench.credentials.coolingForMs("codex")).toBe(0);
  });

  test("is not asked again before that time, by no attempt", async () => {
    bench = await openBench();
    bench.provider.answer = refuse(429, { code: "rate_limit_exceeded" }, { "retry-after": "20" });
    const first = await callModel(await bench.open());
    expect(first.headers.get("retry-after")).toBe("20");
    bench.provider.answer = complete();
    const accesses = await Promise.all(Array.from({ length: 10 }, () => bench.open()));
    const answers = await Promise.all(accesses.map((access) => callModel(access)));
    for (const answer of answers) {
      expect(answer.status).toBe(429);
      const seconds = Number(answer.headers.get("retry-after"));
      expect(seconds).toBeGreaterThanOrEqual(20);
      expect(seconds).toBeLessThanOrEqual(22);
      expect(await errorOf(answer)).toMatchObject({ code: "credential_cooling" });
    }
    expect(bench.provider.requests.length).toBe(1);
    const { calls } = await accesses[0]!.report();
    expect(calls).toMatchObject([
      { outcome: "refused", status: null, errorCode: "credential_cooling" },
    ]);
    expect(calls[0]?.resetsInMs).toBeGreaterThan(19_000);
  });

  test("for long: the agent is not told to wait, it ends", async () => {
    bench = await openBench();
    bench.provider.answer = refuse(429, {}, { "retry-after": "3600" });
    const first = await callModel(await bench.open());
    expect(first.status).toBe(429);
    expect(first.headers.get("retry-after")).toBeNull();
    const second = await callModel(await bench.open());
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBeNull();
    expect(bench.provider.requests.length).toBe(1);
  });

  test("is asked again when the time is over", async () => {
    bench = await openBench();
    const access = await bench.open();
    bench.provider.answer = refuse(429, {}, { "retry-after": "1" });
    const startedMs = performance.now();
    await callModel(access);
    bench.provider.answer = complete();
    await eventually(
      "the provider is asked again",
      async () => (await callModel(access)).status,
      (status) => status === 200,
    );
    expect(performance.now() - startedMs).toBeGreaterThan(999);
    expect(bench.provider.requests.length).toBe(2);
  });
});

describe("with a store that is away", () => {
  const away: CredentialRepository = {
    coolDown: () => Promise.reject(new SpeckitError("DATABASE_UNAVAILABLE", "away")),
    coolingForMs: () => Promise.reject(new SpeckitError("DATABASE_UNAVAILABLE", "away")),
  };

  test("calls go on, and what was told here still holds here", async () => {
    bench = await openBench({ credentials: away });
    const access = await bench.open();
    expect((await callModel(access)).status).toBe(200);
    bench.provider.answer = refuse(429, {}, { "retry-after": "20" });
    await callModel(access);
    expect((await callModel(await bench.open())).status).toBe(429);
    expect(bench.provider.requests.length).toBe(2);
  });
});
