import { randomUUID } from "node:crypto";
import { testDatabase } from "@speckit/testkit";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptTokenSigner } from "../../../src/adapters/gateway/index.ts";
import { openServedBench, type ServedBench } from "./fixtures/serve-gateway.ts";

const database = await testDatabase();
let bench: ServedBench;
beforeAll(async () => {
  bench = await openServedBench(database.url);
  await bench.serve();
});
afterAll(() => bench[Symbol.asyncDispose]());

const now = () => new Date();

/** What a model call, a start and a look come to with this token. */
async function statuses(token: string): Promise<readonly number[]> {
  const answers = await Promise.all([
    bench.callModel(token),
    bench.ask("/speckit/v1/start", token, { method: "POST" }),
    bench.ask("/speckit/v1/attempt", token),
  ]);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.map(({ status }) => status);
}

const reasonOf = (): unknown => bench.logged.at(-1)?.fields?.reason;

describe("a token", () => {
  test("opens what it is for, and nothing else", async () => {
    const { start, model } = await bench.attempt();
    expect(await statuses(model)).toEqual([200, 401, 401]);
    expect(bench.logged.map(({ fields }) => fields?.reason)).toContain(
      "a token to model, not to start",
    );
    expect(await statuses(start)).toEqual([401, 204, 204]);
  });

  test.each([
    ["none", async () => "", "no token"],
    ["no token at all", async () => "sk-something", "no token of ours"],
    [
      "one that nobody has signed",
      async () => {
        const { model } = await bench.attempt();
        const none = Buffer.from('{"alg":"none"}').toString("base64url");
        return `${none}.${model.split(".")[1]}.`;
      },
      "not signed with its attempt's key",
    ],
    [
      "one whose claims were changed",
      async () => {
        const { model } = await bench.attempt({ tokensLeft: 1 });
        const [head, body, signature] = model.split(".");
        const claims = JSON.parse(Buffer.from(body!, "base64url").toString());
        const more = { ...claims, limits: {} };
        return `${head}.${Buffer.from(JSON.stringify(more)).toString("base64url")}.${signature}`;
      },
      "not signed with its attempt's key",
    ],
    [
      "one that was signed with the public key as a secret",
      async () => {
        const { runId, phase, attempt } = await bench.attempt();
        return new SignJWT({ run: runId, phase, attempt, use: "model", limits: {} })
          .setProtectedHeader({ alg: "HS256" })
          .setIssuer(bench.deploymentId)
          .setAudience("speckit-gateway")
          .setExpirationTime("1h")
          .sign(Buffer.from(bench.signer.tokenKey, "base64"));
      },
      "not signed with its attempt's key",
    ],
    [
      "one of another process's key",
      async () => {
        const other = attemptTokenSigner({ deploymentId: bench.deploymentId, now });
        return other.signModel({ ...(await bench.attempt()), expiresInMs: 60_000, limits: {} });
      },
      "not signed with its attempt's key",
    ],
    [
      "another attempt's, told as this one's",
      async () => {
        const [one, other] = [await bench.attempt(), await bench.attempt()];
        const [head, , signature] = one.model.split(".");
        return `${head}.${other.model.split(".")[1]}.${signature}`;
      },
      "not signed with its attempt's key",
    ],
    [
      "another deployment's",
      async () => {
        const other = attemptTokenSigner({ deploymentId: randomUUID(), now });
        return other.signModel({ ...(await bench.attempt()), expiresInMs: 60_000, limits: {} });
      },
      "another deployment's token",
    ],
    [
      "one that has expired",
      async () => {
        const before = {
          deploymentId: bench.deploymentId,
          now: () => new Date(Date.now() - 3.6e6),
        };
        const signer = attemptTokenSigner(before);
        const attempt = await bench.attempts.place(signer.tokenKey);
        return signer.signModel({ ...attempt, expiresInMs: 60_000, limits: {} });
      },
      "expired",
    ],
    [
      "one for somebody else than a gateway",
      async () => {
        const attempt = await bench.attempt();
        const [head, body, signature] = attempt.model.split(".");
        const claims = JSON.parse(Buffer.from(body!, "base64url").toString());
        const more = JSON.stringify({ ...claims, aud: "other" });
        return `${head}.${Buffer.from(more).toString("base64url")}.${signature}`;
      },
      "not signed with its attempt's key",
    ],
    [
      "one of an attempt that ends with its worker",
      async () => {
        const attempt = await bench.attempts.place(null);
        return bench.signer.signModel({ ...attempt, expiresInMs: 60_000, limits: {} });
      },
      "its attempt is not live",
    ],
    [
      "one of a run that does not exist",
      async () =>
        bench.signer.signModel({
          ...{ runId: randomUUID(), phase: "plan", attempt: 1 },
          ...{ expiresInMs: 60_000, limits: {} },
        }),
      "its attempt is not live",
    ],
  ])(
    "that is %s is refused, with the reason in the log, and the provider hears nothing",
    async (_name, make, reason) => {
      const token = await make();
      const before = bench.provider.requests.length;
      const answer = await bench.callModel(token);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error: { code: "invalid_token" } });
      expect(bench.logged.at(-1)).toMatchObject({ level: "warn", message: "model call refused" });
      expect(reasonOf()).toBe(reason);
      expect(bench.provider.requests.length).toBe(before);
      expect(token === "" || !JSON.stringify(bench.logged).includes(token)).toBe(true);
    },
  );

  test("of an attempt that has ended is told from one that is none", async () => {
    const { start, ...attempt } = await bench.attempt();
    await bench.attempts.closeAttempt(attempt);
    expect(await statuses(start)).toEqual([401, 409, 410]);
  });
});

describe("a start ticket", () => {
  test("is had once, by one of ten that ask at once", async () => {
    const { start } = await bench.attempt();
    const asked = await Promise.all(
      Array.from({ length: 10 }, () =>
        bench.ask("/speckit/v1/start", start, { method: "POST" }).then(({ status }) => status),
      ),
    );
    expect(asked.sort()).toEqual([204, ...Array.from({ length: 9 }, () => 409)]);
    expect((await bench.ask("/speckit/v1/attempt", start)).status).toBe(204);
  });

  test("of a run that is to be cancelled is not had", async () => {
    const { start, ...attempt } = await bench.attempt();
    await bench.attempts.requestCancel(attempt);
    expect((await bench.ask("/speckit/v1/start", start, { method: "POST" })).status).toBe(409);
  });
});

test("whoever asks whether the gateway is there needs no token", async () => {
  const answer = await bench.ask("/healthz", "");
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: "alive", store: "ok" });
});

test("nothing else is there", async () => {
  const { start } = await bench.attempt();
  for (const [method, path] of [
    ["GET", "/speckit/v1/start"],
    ["POST", "/speckit/v1/attempt"],
    ["GET", "/speckit/v1/"],
    ["POST", "/healthz"],
    ["GET", "/"],
  ] as const) {
    expect((await bench.ask(path, start, { method })).status, `${method} ${path}`).toBe(404);
  }
});
