import { eventually, testDatabase } from "@speckit/testkit";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { remoteModelGateway } from "../../../src/adapters/gateway/index.ts";
import { postgresRunRepository } from "../../../src/adapters/postgres/index.ts";
import { systemClock } from "../../../src/adapters/system/index.ts";
import type { ModelGateway, ModelLimits } from "../../../src/ports/model-gateway.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";
import { complete, EVENT_STREAM, event } from "./fixtures/provider.ts";
import { openServedBench, type ServedBench } from "./fixtures/serve-gateway.ts";

const PRICES = {
  "gpt-5.5": {
    inputUsdPerMTok: 10,
    cachedInputUsdPerMTok: 1,
    outputUsdPerMTok: 100,
    asOf: "2026-11-01",
  },
};

const database = await testDatabase();
const runs = postgresRunRepository({
  connectionString: database.url,
  artifactRetentionMs: 604_800_000,
});
let bench: ServedBench;
let gateway: ModelGateway;
beforeAll(async () => {
  bench = await openServedBench(database.url);
  await bench.serve({ prices: PRICES, hangMs: 300 });
  gateway = remoteModelGateway({
    signer: bench.signer,
    modelCalls: runs.modelCalls,
    bridgePort: 8787,
    clock: systemClock,
    logger: recordingLogger().logger,
    pollMs: 50,
  });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await runs[Symbol.asyncDispose]();
});

async function open(limits: ModelLimits = {}) {
  const attempt = await bench.attempts.place(bench.signer.tokenKey);
  const access = await gateway.open({ ...attempt, limits, expiresInMs: 60_000 });
  return { attempt, access };
}

const call = async (token: string, model?: string): Promise<number> => {
  const answer = await bench.callModel(token, model === undefined ? {} : { model });
  await answer.text().catch(() => undefined);
  return answer.status;
};

describe("an attempt in a container, as its worker sees it", () => {
  test("has a token for the gateway, over the bridge of its container", async () => {
    const { attempt, access } = await open({ tokensLeft: 5 });
    await using _end = access;
    expect(access.baseUrl).toBe("http://127.0.0.1:8787/openai/v1");
    expect(decodeJwt(access.token)).toMatchObject({
      iss: bench.deploymentId,
      aud: "speckit-gateway",
      run: attempt.runId,
      phase: "specify",
      attempt: 1,
      use: "model",
      limits: { tokensLeft: 5 },
    });
  });

  test("has called what the gateway has recorded, told as soon as its agent knows", async () => {
    const { access } = await open();
    await using _end = access;
    expect(await access.report()).toMatchObject({ calls: [], usage: { calls: 0, costUsd: 0 } });
    for (let ix = 0; ix < 3; ix += 1) {
      expect(await call(access.token)).toBe(200);
    }
    expect(await access.report()).toEqual({
      calls: Array.from({ length: 3 }, () =>
        expect.objectContaining({
          outcome: "completed",
          model: "gpt-5.5",
          startedAt: expect.any(Date),
        }),
      ),
      usage: {
        calls: 3,
        inputTokens: 3_000,
        cachedInputTokens: 192,
        outputTokens: 150,
        costUsd: expect.closeTo(3 * 0.014424, 9),
      },
    });
    expect(await call(access.token, "gpt-unpriced")).toBe(200);
    expect((await access.report()).usage).toMatchObject({ calls: 4, costUsd: null });
  });

  test("is ended when a limit was crossed, with the same words as in process", async () => {
    const { access } = await open({ tokensLeft: 2_000 });
    await using _end = access;
    await call(access.token);
    await call(access.token);
    expect(await access.ended).toMatchObject({
      code: "TOKEN_LIMIT_REACHED",
      message: "specify: used 2100 tokens (2000 in, 100 out) in 2 calls; the run had 2000 left",
    });
  });

  test("is ended when more is asked for than exactly fills a limit, or what has no price", async () => {
    const exact = await open({ tokensLeft: 1_050 });
    await using _exact = exact.access;
    expect([await call(exact.access.token), await call(exact.access.token)]).toEqual([200, 403]);
    expect(await exact.access.ended).toMatchObject({ code: "TOKEN_LIMIT_REACHED" });
    const priced = await open({ usdLeft: 5 });
    await using _priced = priced.access;
    expect(await call(priced.access.token, "gpt-unpriced")).toBe(403);
    expect(await priced.access.ended).toMatchObject({ code: "PRICE_UNKNOWN" });
  });

  test("is ended when two calls in a row hang; its model is heard while it speaks", async () => {
    const { access } = await open();
    await using _end = access;
    let heard = 0;
    access.onHeard(() => {
      heard += 1;
    });
    await access.report();
    bench.provider.answer = (response) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(event("response.created"));
    };
    await call(access.token);
    await call(access.token);
    expect(await access.ended).toMatchObject({ code: "MODEL_HUNG" });
    await eventually(
      "heard",
      () => heard,
      (times) => times > 0,
    );
  });

  test("that another worker goes on with is counted from its first call", async () => {
    const { attempt, access } = await open({ tokensLeft: 1_000 });
    await using _first = access;
    bench.provider.answer = complete();
    await call(access.token);
    await using again = await gateway.open({
      ...attempt,
      limits: { tokensLeft: 1_000 },
      expiresInMs: 60_000,
    });
    expect(await again.ended).toMatchObject({ code: "TOKEN_LIMIT_REACHED" });
    expect((await again.report()).calls).toHaveLength(1);
  });
});
