import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { eventually, testDatabase } from "@speckit/testkit";
import { exportJWK, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TokenUse } from "../../../src/adapters/gateway/attempt-token.ts";
import type { GatewayRefusal } from "../../../src/domain/gateway-refusal.ts";
import type { JobName } from "../../../src/ports/job-runtime.ts";
import { metricsRecorder } from "../../../src/testing/metrics-recorder.ts";
import { completeIn, DIALECTS } from "./fixtures/dialects.ts";
import { type EgressBench, openEgressBench, PLAIN } from "./fixtures/egress-bench.ts";

const database = await testDatabase();
const metrics = metricsRecorder();
let bench: EgressBench;
let mine: KeyPair;
let theirs: KeyPair;
beforeAll(async () => {
  bench = await openEgressBench(database.url, {
    isPatient: true,
    recheckMs: 400,
    metrics: metrics.metrics,
  });
  mine = keyPair();
  theirs = keyPair();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

interface KeyPair {
  readonly privateKey: KeyObject;
  /** As it is stored with an attempt. */
  readonly tokenKey: string;
}

function keyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey,
    tokenKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  };
}

const nowS = () => Math.floor(Date.now() / 1_000);

/** What a worker would say in a token, and what else a test wants to be said. */
const claims = ({ runId, phase, attempt }: JobName, use: TokenUse, more: object = {}) => ({
  iss: bench.served.deploymentId,
  aud: "speckit-gateway",
  exp: nowS() + 600,
  ...{ run: runId, phase, attempt, use, limits: {} },
  ...more,
});

const signed = (said: JWTPayload, key: KeyObject, header: object = {}): Promise<string> =>
  new SignJWT(said).setProtectedHeader({ alg: "EdDSA", typ: "JWT", ...header }).sign(key);

const part = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString("base64url");

/** Where a token may be shown, and the answer of each that lets nobody in. */
const DOORS: Readonly<
  Record<
    string,
    {
      readonly use: TokenUse;
      /** @param through a socket's path; default the gateway's own */
      readonly ask: (token: string, through?: string) => Promise<number>;
    }
  >
> = {
  ...Object.fromEntries(
    DIALECTS.map((dialect) => [
      dialect.provider,
      {
        use: "model" as const,
        async ask(token: string, through?: string) {
          bench.served.provider.answer = completeIn(dialect);
          const body = JSON.stringify(dialect.body);
          const headers = Object.entries(dialect.auth(token)).map(
            ([name, value]) => `${name}: ${value}`,
          );
          const { status, socket } = await bench.send(
            [
              `POST ${dialect.asked} HTTP/1.1`,
              ...["host: x", "connection: close", `content-length: ${body.length}`, ...headers],
              `\r\n${body}`,
            ].join("\r\n"),
            through,
          );
          socket.destroy();
          return status;
        },
      },
    ]),
  ),
  "a start ticket": {
    use: "start",
    ask: async (token, through) =>
      (await bench.served.ask("/speckit/v1/start", token, { method: "POST", ...via(through) }))
        .status,
  },
  "whether it is live": {
    use: "start",
    ask: async (token, through) =>
      (await bench.served.ask("/speckit/v1/attempt", token, via(through))).status,
  },
  "a tunnel": {
    use: "egress",
    async ask(token, through) {
      const { status, socket } = await bench.connect(token, `${PLAIN}:${bench.tcpPort}`, through);
      socket.destroy();
      return status;
    },
  },
};

const via = (through: string | undefined) => (through === undefined ? {} : { through });

const OPENED: Readonly<Record<string, number>> = {
  "a start ticket": 204,
  "whether it is live": 204,
};

describe.each(Object.entries(DOORS))("at the door for %s", (door, { use, ask }) => {
  const place = (key: KeyPair = mine) => bench.served.attempts.place(key.tokenKey);

  test("an attempt's own token opens it, so that what follows means something", async () => {
    const attempt = await place();
    const token = await signed(claims(attempt, use), mine.privateKey);
    expect(await ask(token)).toBe(OPENED[door] ?? 200);
  });

  test.each<readonly [string, GatewayRefusal, (attempt: JobName) => Promise<string>]>([
    [
      "signed with another key",
      "forged",
      (attempt) => signed(claims(attempt, use), theirs.privateKey),
    ],
    [
      "signed with another key, which it brings along",
      "forged",
      async (attempt) =>
        signed(claims(attempt, use), theirs.privateKey, {
          jwk: await exportJWK(createPublicKey(theirs.privateKey)),
        }),
    ],
    [
      "signed with the public key as if it were a secret",
      "forged",
      async (attempt) =>
        new SignJWT(claims(attempt, use))
          .setProtectedHeader({ alg: "HS256" })
          .sign(Buffer.from(mine.tokenKey, "base64")),
    ],
    [
      "that says it needs no signature",
      "forged",
      async (attempt) => `${part({ alg: "none" })}.${part(claims(attempt, use))}.`,
    ],
    [
      "whose signature is cut",
      "forged",
      async (attempt) => (await signed(claims(attempt, use), mine.privateKey)).slice(0, -4),
    ],
    [
      "with another attempt's claims under its signature",
      "forged",
      async (attempt) => {
        const [head, , signature] = (
          await signed(claims(await place(), use), mine.privateKey)
        ).split(".");
        return `${head}.${part(claims(attempt, use))}.${signature}`;
      },
    ],
    [
      "that another attempt's worker has signed for this one",
      "forged",
      async (attempt) => {
        await place(theirs);
        return signed(claims(attempt, use), theirs.privateKey);
      },
    ],
    [
      "that has expired",
      "expired",
      (attempt) => signed(claims(attempt, use, { exp: nowS() - 60 }), mine.privateKey),
    ],
    [
      "without an end",
      "forged",
      (attempt) => signed(claims(attempt, use, { exp: undefined }), mine.privateKey),
    ],
    [
      "for somebody else's gateway",
      "forged",
      (attempt) => signed(claims(attempt, use, { aud: "else" }), mine.privateKey),
    ],
    [
      "of another deployment",
      "other_deployment",
      (attempt) => signed(claims(attempt, use, { iss: randomUUID() }), mine.privateKey),
    ],
    [
      "of the attempt before, which has ended",
      "not_live",
      async (attempt) => {
        await bench.served.attempts.closeAttempt(attempt);
        return signed(claims(attempt, use), mine.privateKey);
      },
    ],
    [
      "of an attempt that never was",
      "not_live",
      (attempt) => signed(claims({ ...attempt, attempt: 7 }, use), mine.privateKey),
    ],
    [
      "for another door",
      "other_use",
      (attempt) => signed(claims(attempt, use === "model" ? "egress" : "model"), mine.privateKey),
    ],
    [
      "that is put together from pieces of others",
      "unknown_token",
      async (attempt) =>
        `${part({ alg: "EdDSA" })}.${part({ ...claims(attempt, use), run: "1' OR '1'='1" })}.x`,
    ],
  ])(
    "a token %s is refused as %s, counted and told, and nothing behind it is reached",
    async (_what, refusal, make) => {
      const token = await make(await place());
      const reached = () => [bench.reached(), bench.served.provider.requests.length];
      const counted = () => metrics.counted("gateway_refusals", { reason: refusal });
      const before = { reached: reached(), counted: counted(), logged: bench.served.logged.length };
      expect([401, 407, 409, 410]).toContain(await ask(token));
      expect(reached()).toEqual(before.reached);
      expect(counted()).toBe(before.counted + 1);
      const lines = JSON.stringify(bench.served.logged.slice(before.logged));
      expect(lines).not.toContain(token);
    },
  );
});

test.each(Object.entries(DOORS))(
  "at the door for %s a token of another attempt that is live opens nothing through one's own socket, and all through its own",
  async (door, { use, ask }) => {
    const own = await bench.served.attempts.place(mine.tokenKey);
    const other = await bench.served.attempts.place(mine.tokenKey);
    const [ours, others] = [await bench.served.doorOf(own), await bench.served.doorOf(other)];
    const stolen = await signed(claims(other, use), mine.privateKey);
    const reached = () => [bench.reached(), bench.served.provider.requests.length];
    const counted = () => metrics.counted("gateway_refusals", { reason: "other_attempt" });
    const before = { reached: reached(), counted: counted(), logged: bench.served.logged.length };
    expect([401, 407]).toContain(await ask(stolen, ours));
    expect(reached()).toEqual(before.reached);
    expect(counted()).toBe(before.counted + 1);
    // Told of who has shown it, and whose it is.
    const told = bench.served.logged.slice(before.logged);
    expect(told).toMatchObject([
      {
        fields: { refusal: "other_attempt", ...own, reason: expect.stringContaining(other.runId) },
      },
    ]);
    expect(JSON.stringify(told)).not.toContain(stolen);
    expect(await ask(stolen, others)).toBe(OPENED[door] ?? 200);
  },
);

test("a token of another attempt that is live is that attempt's alone: it pays, and its end is the token's", async () => {
  const [own, other] = [await bench.served.attempt(), await bench.served.attempt()];
  bench.served.provider.answer = completeIn(DIALECTS[0]!);
  await (await bench.served.callModel(other.model)).text();
  expect(await bench.served.recorded(own)).toEqual([]);
  expect(await bench.served.recorded(other)).toMatchObject([{ outcome: "completed" }]);
  await bench.served.attempts.closeAttempt(other);
  const opens = async (token: string): Promise<number> => {
    const { status, socket } = await bench.connect(token, `${PLAIN}:${bench.tcpPort}`);
    socket.destroy();
    return status;
  };
  await eventually(
    "its token opens nothing any more",
    () => opens(other.egress),
    (status) => status === 407,
  );
  expect(await opens(own.egress)).toBe(200);
});
