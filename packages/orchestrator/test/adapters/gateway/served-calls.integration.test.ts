import { message, startMockModel, turn, USAGE_PER_CALL } from "@speckit/mock-model";
import { eventually, testDatabase } from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { REAL_KEY } from "./fixtures/open-gateway.ts";
import { complete, EVENT_STREAM, event } from "./fixtures/provider.ts";
import { openServedBench, REAL_TIMES, type ServedBench, TIMES } from "./fixtures/serve-gateway.ts";

const database = await testDatabase();
let bench: ServedBench;
beforeEach(async () => {
  bench = await openServedBench(database.url);
});
afterEach(() => bench[Symbol.asyncDispose]());

/** The provider begins its answers and does not end them. */
function neverEnds(): void {
  bench.provider.answer = (response) => {
    response.writeHead(200, EVENT_STREAM);
    response.write(event("response.created"));
  };
}

/** Opens a stream, and waits for its first byte. */
async function openStream(token: string): Promise<{ readonly end: Promise<"cut" | "whole"> }> {
  const response = await bench.callModel(token);
  const reader = response.body!.getReader();
  await reader.read();
  const rest = async (): Promise<"whole"> => {
    while (!(await reader.read()).done) {}
    return "whole";
  };
  return { end: rest().catch(() => "cut") };
}

async function statusOf(answer: ReturnType<ServedBench["ask"]>): Promise<number> {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
}

describe("the calls of attempts in containers", () => {
  test("go through with the real key, and what is recorded is what the provider has seen", async () => {
    await using model = await startMockModel({ apiKey: REAL_KEY });
    const baseUrl = model.baseUrl(() => turn(message("Done.")));
    await bench.serve({ upstreams: { openai: { baseUrl, apiKeys: [REAL_KEY] } }, ...REAL_TIMES });
    const attempts = await Promise.all(Array.from({ length: 20 }, () => bench.attempt()));
    await Promise.all(
      attempts.map(async (attempt) => {
        for (let ix = 0; ix < 3; ix += 1) {
          const answer = await bench.callModel(attempt.model);
          expect(answer.status).toBe(200);
          expect(await answer.text()).toContain("response.completed");
          // The agent knows of the end, so it is recorded.
          expect(await bench.recorded(attempt)).toHaveLength(ix + 1);
        }
      }),
    );
    expect(model.requests().filter(({ status }) => status === 200)).toHaveLength(60);
    const sums = await bench.sql.query(
      `SELECT run_id, count(*)::int AS calls, sum(input_tokens)::int AS input,
         sum(output_tokens)::int AS output
       FROM spec_workflow_model_calls GROUP BY run_id`,
    );
    const { inputTokens, outputTokens } = USAGE_PER_CALL;
    const mine = new Set(attempts.map(({ runId }) => runId));
    expect(sums.filter(({ run_id: runId }) => mine.has(String(runId)))).toEqual(
      attempts.map(() => ({
        run_id: expect.any(String),
        calls: 3,
        input: 3 * inputTokens,
        output: 3 * outputTokens,
      })),
    );
  });

  test("twenty streams at once come whole", async () => {
    await using model = await startMockModel();
    const words = Array.from({ length: 50 }, (_, ix) => `word ${ix} `).join("");
    const baseUrl = model.baseUrl(() => ({ ...turn(message(words)), pauseMs: 20 }));
    await bench.serve({ upstreams: { openai: { baseUrl, apiKeys: [REAL_KEY] } }, ...REAL_TIMES });
    const attempts = await Promise.all(Array.from({ length: 20 }, () => bench.attempt()));
    const texts = await Promise.all(
      attempts.map(async ({ model: token }) => (await bench.callModel(token)).text()),
    );
    for (const text of texts) {
      expect(text).toContain("word 49");
      expect(text).toContain("response.completed");
    }
  });

  test("of an attempt that ends are cut within the re-check, and their rows say so", async () => {
    await bench.serve();
    neverEnds();
    for (const end of ["closeAttempt", "endRun", "requestCancel"] as const) {
      const attempt = await bench.attempt();
      const other = await bench.attempt();
      const [stream, others] = [await openStream(attempt.model), await openStream(other.model)];
      await bench.attempts[end](attempt);
      const endedMs = performance.now();
      expect(await stream.end).toBe("cut");
      expect(performance.now() - endedMs).toBeLessThan(TIMES.recheckMs + 500);
      expect(await Promise.race([others.end, "open"])).toBe("open");
      await eventually(
        "the row",
        () => bench.recorded(attempt),
        (rows) => rows.length === 1 && rows[0]?.outcome === "cut",
      );
      expect(await statusOf(bench.callModel(attempt.model))).toBe(401);
    }
  });

  test("note when their provider was heard", async () => {
    await bench.serve();
    neverEnds();
    const attempt = await bench.attempt();
    await openStream(attempt.model);
    await eventually(
      "heard",
      () =>
        bench.sql.query("SELECT heard_at FROM spec_workflow_task_states WHERE run_id = $1", [
          attempt.runId,
        ]),
      ([row]) => row?.heard_at instanceof Date,
    );
  });

  test("that are limited are counted on by a gateway that starts in the middle of the attempt", async () => {
    const first = await bench.serve();
    // Each call uses 1,050.
    const attempt = await bench.attempt({ tokensLeft: 3_000 });
    for (let ix = 0; ix < 2; ix += 1) {
      await (await bench.callModel(attempt.model)).text();
    }
    await first[Symbol.asyncDispose]();
    await bench.serve();
    expect(await (await bench.callModel(attempt.model)).text()).toContain("response.completed");
    const refused = await bench.callModel(attempt.model);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      error: {
        code: "token_limit_reached",
        message: "specify: used 3150 tokens (3000 in, 150 out) in 3 calls; the run had 3000 left",
      },
    });
    expect(bench.provider.requests).toHaveLength(3);
    expect(await bench.recorded(attempt)).toMatchObject([
      { outcome: "completed" },
      { outcome: "completed" },
      { outcome: "completed" },
      { outcome: "refused", errorCode: "token_limit_reached" },
    ]);
  });

  test("that are refused again and again for one reason are a hundred rows, and another reason is told at once", async () => {
    await bench.serve(REAL_TIMES);
    const attempt = await bench.attempt({ tokensLeft: 0 });
    const refuse = async () => {
      const body = "no object";
      const answer = await bench.ask("/openai/v1/responses", attempt.model, {
        method: "POST",
        body,
      });
      expect(answer.status).toBe(400);
      await answer.body?.cancel();
    };
    for (let round = 0; round < 12; round += 1) {
      await Promise.all(Array.from({ length: 10 }, refuse));
    }
    expect(await statusOf(bench.callModel(attempt.model))).toBe(403);
    const codes = (await bench.recorded(attempt)).map(({ errorCode }) => errorCode);
    expect(codes.filter((code) => code === "invalid_request_body")).toHaveLength(100);
    expect(codes.at(-1)).toBe("token_limit_reached");
    expect(bench.provider.requests).toEqual([]);
  });

  test("are refused by a gateway that has no key, and their jobs start all the same", async () => {
    await bench.serve({ upstreams: {} });
    const attempt = await bench.attempt();
    const started = bench.ask("/speckit/v1/start", attempt.start, { method: "POST" });
    expect(await statusOf(started)).toBe(204);
    const refused = await bench.callModel(attempt.model);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { code: "no_provider" } });
    expect(await bench.recorded(attempt)).toMatchObject([{ outcome: "refused" }]);
  });

  test("rest together when the provider says so, by the deployment's cool-down", async () => {
    await bench.serve();
    bench.provider.answer = (response) => {
      response.writeHead(429, { "retry-after": "20", "content-type": "application/json" });
      response.end('{"error":{"code":"rate_limit_exceeded"}}');
    };
    const [one, other] = [await bench.attempt(), await bench.attempt()];
    expect((await bench.callModel(one.model)).status).toBe(429);
    expect((await bench.callModel(other.model)).status).toBe(429);
    expect(bench.provider.requests).toHaveLength(1);
    const [row] = await bench.sql.query("SELECT name, reason FROM spec_workflow_credentials");
    expect(row).toEqual({ name: "codex", reason: "rate_limited" });
    await bench.sql.query("DELETE FROM spec_workflow_credentials");
  });
});

describe("with a database that is away", () => {
  const away = () => {
    bench.proxy.refuse();
    bench.proxy.cut();
  };

  test("known attempts go on until the last word is too old, then nobody does", async () => {
    await bench.serve();
    const [known, unknown] = [await bench.attempt(), await bench.attempt()];
    expect(await statusOf(bench.callModel(known.model))).toBe(200);
    neverEnds();
    const stream = await openStream(known.model);
    away();
    const awayMs = performance.now();
    bench.provider.answer = complete();
    await eventually("the gateway knows", async () => {
      const { store } = (await (await bench.ask("/healthz", "")).json()) as { store: string };
      return store === "away";
    });
    expect(await statusOf(bench.callModel(known.model))).toBe(200);
    expect(await statusOf(bench.callModel(unknown.model))).toBe(503);
    expect(await statusOf(bench.ask("/speckit/v1/attempt", known.start))).toBe(204);
    expect(await statusOf(bench.ask("/speckit/v1/attempt", unknown.start))).toBe(503);
    expect(await statusOf(bench.ask("/speckit/v1/start", known.start, { method: "POST" }))).toBe(
      503,
    );
    expect(await stream.end).toBe("cut");
    const cutMs = performance.now() - awayMs;
    expect(cutMs).toBeGreaterThan(TIMES.failClosedMs - TIMES.recheckMs - 200);
    expect(cutMs).toBeLessThan(TIMES.failClosedMs + 500);
    const refused = await bench.callModel(known.model);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: "attempt_unknown" } });
  });

  test("when it is back, attempts go on, and what was called meanwhile is recorded once", async () => {
    await bench.serve({ failClosedMs: 60_000 });
    const attempt = await bench.attempt({ tokensLeft: 4_000 });
    await (await bench.callModel(attempt.model)).text();
    away();
    for (let ix = 0; ix < 2; ix += 1) {
      const startedMs = performance.now();
      expect(await (await bench.callModel(attempt.model)).text()).toContain("response.completed");
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    }
    expect(await bench.recorded(attempt)).toHaveLength(1);
    bench.proxy.accept();
    await eventually(
      "all are recorded",
      () => bench.recorded(attempt),
      (rows) => rows.length === 3,
    );
    expect(await statusOf(bench.callModel(attempt.model))).toBe(200);
    expect(await statusOf(bench.callModel(attempt.model))).toBe(403);
  });

  test("after that time too, an attempt that is still live may call again", async () => {
    await bench.serve();
    const attempt = await bench.attempt();
    expect(await statusOf(bench.callModel(attempt.model))).toBe(200);
    away();
    await eventually(
      "nobody knows",
      () => statusOf(bench.callModel(attempt.model)),
      (status) => status === 503,
    );
    bench.proxy.accept();
    await eventually(
      "it is known again",
      () => statusOf(bench.callModel(attempt.model)),
      (status) => status === 200,
    );
  });
});

describe("a gateway that ends", () => {
  test("lets open calls finish, takes nothing new, and leaves no socket behind", async () => {
    const gateway = await bench.serve();
    const attempt = await bench.attempt();
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    bench.provider.answer = async (response, request) => {
      response.writeHead(200, EVENT_STREAM);
      response.write(event("response.created"));
      await goOn;
      response.write(event("response.completed", { response: { usage: {} } }));
      response.end();
      void request;
    };
    const stream = await openStream(attempt.model);
    const drained = gateway.drain(10_000);
    await expect(bench.ask("/healthz", "")).rejects.toThrow();
    resolve();
    expect(await stream.end).toBe("whole");
    await drained;
    expect(await bench.recorded(attempt)).toMatchObject([{ outcome: "completed" }]);
    await gateway[Symbol.asyncDispose]();
    await bench.serve();
    expect((await bench.ask("/healthz", "")).status).toBe(200);
  });

  test("does not wait for longer than it is told", async () => {
    const gateway = await bench.serve();
    neverEnds();
    const attempt = await bench.attempt();
    const stream = await openStream(attempt.model);
    const startedMs = performance.now();
    await gateway.drain(300);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    await gateway[Symbol.asyncDispose]();
    expect(await stream.end).toBe("cut");
    expect(await bench.recorded(attempt)).toMatchObject([{ outcome: "cut" }]);
  });

  test("knows how long no attempt was live", async () => {
    const gateway = await bench.serve();
    const attempt = await bench.attempt();
    await eventually("idle from the start", gateway.idleForMs, (ms) => ms > 100);
    expect(await statusOf(bench.ask("/speckit/v1/attempt", attempt.start))).toBe(204);
    expect(gateway.idleForMs()).toBe(0);
    await bench.attempts.closeAttempt(attempt);
    await eventually("idle again", gateway.idleForMs, (ms) => ms > 100);
  });

  test("and one that listens already keeps its socket", async () => {
    await bench.serve();
    await expect(bench.serve()).rejects.toMatchObject({ code: "CONFIGURATION_INVALID" });
    expect((await bench.ask("/healthz", "")).status).toBe(200);
  });
});
