import { afterEach, describe, expect, test } from "vitest";
import { type Bench, callModel, errorOf, openBench } from "./fixtures/open-gateway.ts";
import { complete } from "./fixtures/provider.ts";

const PRICES = {
  "gpt-5.5": {
    inputUsdPerMTok: 10,
    cachedInputUsdPerMTok: 1,
    outputUsdPerMTok: 100,
    asOf: "2026-11-01",
  },
};

let bench: Bench;
afterEach(() => bench[Symbol.asyncDispose]());

/** Whether a promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Promise.resolve(false)]);
}

describe("tokens", () => {
  test("the call that crosses the limit is let finish, the next one is not made", async () => {
    bench = await openBench();
    const access = await bench.open({ tokensLeft: 2_000 });
    expect(await (await callModel(access)).text()).toContain("response.completed");
    expect(await settled(access.ended)).toBe(false);
    const second = await callModel(access);
    expect(second.status).toBe(200);
    expect(await second.text()).toContain("response.completed");
    const ended = await access.ended;
    expect(ended).toMatchObject({ code: "TOKEN_LIMIT_REACHED", class: "permanent" });
    expect(ended.message).toBe(
      "specify: used 2100 tokens (2000 in, 100 out) in 2 calls; the run had 2000 left",
    );
    const third = await callModel(access);
    expect(third.status).toBe(403);
    expect(await errorOf(third)).toMatchObject({ code: "token_limit_reached" });
    expect(bench.provider.requests.length).toBe(2);
    expect((await access.report()).calls.at(-1)).toMatchObject({
      outcome: "refused",
      errorCode: "token_limit_reached",
    });
    expect((await access.report()).usage).toMatchObject({
      inputTokens: 2_000,
      outputTokens: 100,
      calls: 3,
    });
  });

  test("a limit that is filled exactly ends nothing until more is asked for", async () => {
    bench = await openBench();
    const access = await bench.open({ tokensLeft: 1_050 });
    await (await callModel(access)).text();
    expect(await settled(access.ended)).toBe(false);
    expect((await callModel(access)).status).toBe(403);
    expect(await access.ended).toMatchObject({ code: "TOKEN_LIMIT_REACHED" });
  });

  test("nothing left: no call is made at all", async () => {
    bench = await openBench();
    const access = await bench.open({ tokensLeft: 0 });
    expect((await callModel(access)).status).toBe(403);
    expect(bench.provider.requests).toEqual([]);
  });

  test("the agent that hears of the end finds the limit reached already", async () => {
    bench = await openBench();
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    bench.provider.answer = async (response, request) => {
      // The end has been told, the connection stays.
      const end = response.end.bind(response);
      response.end = ((text: string) => {
        response.write(text);
        void goOn.then(() => end());
        return response;
      }) as typeof response.end;
      await complete()(response, request);
    };
    const access = await bench.open({ tokensLeft: 100 });
    const reader = (await callModel(access)).body!.getReader();
    let read = "";
    while (!read.includes("response.completed")) {
      read += Buffer.from((await reader.read()).value!).toString();
    }
    expect((await callModel(access)).status).toBe(403);
    resolve();
  });
});

describe("cost", () => {
  test("is counted by the model's price, cached input apart", async () => {
    bench = await openBench({ prices: PRICES });
    const access = await bench.open();
    await (await callModel(access)).text();
    // 936 × $10 + 64 × $1 + 50 × $100, for a million
    expect((await access.report()).calls[0]?.costUsd).toBeCloseTo(0.014424, 9);
    expect((await access.report()).usage.costUsd).toBeCloseTo(0.014424, 9);
  });

  test("of a model without a price is unknown, and so is the sum", async () => {
    bench = await openBench({ prices: PRICES });
    const access = await bench.open();
    await (await callModel(access)).text();
    await (await callModel(access, { model: "gpt-5.5-mini" })).text();
    expect((await access.report()).calls.map(({ costUsd }) => costUsd)).toEqual([
      expect.any(Number),
      null,
    ]);
    expect((await access.report()).usage.costUsd).toBeNull();
  });

  test("over the limit ends the attempt with its figures", async () => {
    bench = await openBench({ prices: PRICES });
    const access = await bench.open({ usdLeft: 0.02 });
    await (await callModel(access)).text();
    await (await callModel(access)).text();
    expect(await access.ended).toMatchObject({
      code: "COST_LIMIT_REACHED",
      message: "specify: 2 calls cost $0.028850; the run had $0.020000 left",
    });
    expect(await errorOf(await callModel(access))).toMatchObject({ code: "cost_limit_reached" });
  });

  test.each(["gpt-unknown", "constructor"])(
    "limited, and %s has no price: no call is made",
    async (model) => {
      bench = await openBench({ prices: PRICES });
      const access = await bench.open({ usdLeft: 5 });
      const response = await callModel(access, { model });
      expect(response.status).toBe(403);
      expect(await errorOf(response)).toMatchObject({ code: "price_unknown" });
      expect(await access.ended).toMatchObject({
        code: "PRICE_UNKNOWN",
        message: `specify: the price of the model ${model} is not known, and the run has a limit in USD`,
      });
      expect(bench.provider.requests).toEqual([]);
    },
  );
});
