import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { testDatabase } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptTokenSigner } from "../../../src/adapters/gateway/index.ts";
import type { GatewayRefusal } from "../../../src/domain/gateway-refusal.ts";
import { metricsRecorder } from "../../../src/testing/metrics-recorder.ts";
import { upstreamsAt } from "./fixtures/open-gateway.ts";
import { openServedBench, type ServedBench } from "./fixtures/serve-gateway.ts";

const database = await testDatabase();
const metrics = metricsRecorder();
let bench: ServedBench;
beforeAll(async () => {
  bench = await openServedBench(database.url);
  const { openai, anthropic } = upstreamsAt(bench.provider);
  await bench.serve({ upstreams: { openai, anthropic }, metrics: metrics.metrics });
});
afterAll(() => bench[Symbol.asyncDispose]());

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** More of the same are not told again. */
const told = new Set<GatewayRefusal>();
const CALL = "/openai/v1/responses";
const BODY = '{"model":"gpt-5.5","input":[]}';

/** Bytes on the socket that jobs see, as whoever is in one may write them. @returns status and body */
async function send(bytes: string): Promise<readonly [number, string]> {
  const socket = connect(bench.socketPath);
  socket.on("error", () => {});
  socket.write(bytes);
  const answer = await text(socket);
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  return [Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), body];
}

function requestOf({ method = "POST", path = CALL, headers = {}, body = BODY }: Sent): string {
  const all = {
    host: "gateway",
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n${body}`;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const withToken = async (more: Sent = {}): Promise<Sent> => {
  const { model } = await bench.attempt();
  return { ...more, headers: { ...bearer(model), ...more.headers } };
};
const signed = (
  options: Partial<Parameters<typeof attemptTokenSigner>[0]>,
): ReturnType<typeof attemptTokenSigner> =>
  attemptTokenSigner({ deploymentId: bench.deploymentId, now: () => new Date(), ...options });

test.each<readonly [string, () => Promise<Sent | string>, number, string, GatewayRefusal]>([
  ["no token", async () => ({}), 401, "invalid_token", "no_token"],
  ["an empty one", async () => ({ headers: bearer("") }), 401, "invalid_token", "no_token"],
  ["garbage", async () => ({ headers: bearer("sk-1") }), 401, "invalid_token", "unknown_token"],
  [
    "garbage in another provider's header",
    async () => ({ path: "/anthropic/v1/messages", headers: { "x-api-key": "sk-1" } }),
    401,
    "authentication_error",
    "unknown_token",
  ],
  [
    "a token that somebody else has signed",
    async () => {
      const attempt = await bench.attempt();
      return {
        headers: bearer(
          await signed({}).signModel({ ...attempt, expiresInMs: 60_000, limits: {} }),
        ),
      };
    },
    401,
    "invalid_token",
    "forged",
  ],
  [
    "another attempt's claims under one's own signature",
    async () => {
      const [mine, other] = [await bench.attempt(), await bench.attempt()];
      const [head, , signature] = mine.model.split(".");
      return { headers: bearer(`${head}.${other.model.split(".")[1]}.${signature}`) };
    },
    401,
    "invalid_token",
    "forged",
  ],
  [
    "an expired token",
    async () => {
      const signer = signed({ now: () => new Date(Date.now() - 3_600_000) });
      const attempt = await bench.attempts.place(signer.tokenKey);
      return {
        headers: bearer(await signer.signModel({ ...attempt, expiresInMs: 60_000, limits: {} })),
      };
    },
    401,
    "invalid_token",
    "expired",
  ],
  [
    "a token whose attempt has ended",
    async () => {
      const { model, ...attempt } = await bench.attempt();
      await bench.attempts.closeAttempt(attempt);
      return { headers: bearer(model) };
    },
    401,
    "invalid_token",
    "not_live",
  ],
  [
    "another deployment's token",
    async () => {
      const signer = signed({ deploymentId: randomUUID() });
      const attempt = await bench.attempts.place(signer.tokenKey);
      return {
        headers: bearer(await signer.signModel({ ...attempt, expiresInMs: 60_000, limits: {} })),
      };
    },
    401,
    "invalid_token",
    "other_deployment",
  ],
  [
    "a start token for a call",
    async () => ({ headers: bearer((await bench.attempt()).start) }),
    401,
    "invalid_token",
    "other_use",
  ],
  [
    "a token for a call, to start",
    async () => ({ ...(await withToken()), path: "/speckit/v1/start" }),
    401,
    "",
    "other_use",
  ],
  ["another path", () => withToken({ path: "/openai/v1/files" }), 404, "not_found", "not_found"],
  [
    "a path that climbs",
    () => withToken({ path: "/openai/v1/responses/../files" }),
    404,
    "not_found",
    "not_found",
  ],
  [
    "a whole URL instead of a path",
    () => withToken({ path: "http://api.openai.com/v1/responses" }),
    405,
    "forwarding_refused",
    "forwarding_refused",
  ],
  ["another method", () => withToken({ method: "DELETE" }), 404, "not_found", "not_found"],
  [
    "a provider there is no key of",
    () => withToken({ path: "/gemini/v1beta/models/gemini-3-pro:generateContent" }),
    401,
    "no_provider",
    "no_provider",
  ],
  [
    "a body that is too large",
    () => withToken({ headers: { "content-length": String(65 * 1024 * 1024) } }),
    413,
    "request_too_large",
    "request_too_large",
  ],
  [
    "a body that is no JSON",
    () => withToken({ body: "model=gpt" }),
    400,
    "invalid_request_body",
    "invalid_request_body",
  ],
  [
    "headers that are too large",
    () => withToken({ headers: { "x-large": "x".repeat(70_000) } }),
    431,
    "header_too_large",
    "header_too_large",
  ],
  [
    "two lengths, one request hidden in the other",
    () => withToken({ headers: { "transfer-encoding": "chunked" } }),
    400,
    "malformed_request",
    "malformed_request",
  ],
  [
    "no HTTP at all",
    async () => "\u0016\u0003\u0001\r\n\r\n",
    400,
    "malformed_request",
    "malformed_request",
  ],
])(
  "%s is refused by name, counted and the first time told in the log, and the provider hears nothing",
  async (_name, make, status, code, refusal) => {
    const made = await make();
    const bytes = typeof made === "string" ? made : requestOf(made);
    const counted = () => metrics.counted("gateway_refusals", { reason: refusal });
    const before = { counted: counted(), logged: bench.logged.length };
    const answer = await send(bytes);
    expect(answer[0]).toBe(status);
    expect(answer[1]).toContain(code);
    expect(counted()).toBe(before.counted + 1);
    const lines = bench.logged.slice(before.logged).map((line) => JSON.stringify(line));
    expect(told.has(refusal) || lines.some((line) => /refused/.test(line))).toBe(true);
    told.add(refusal);
    const token = /bearer (\S+)/i.exec(bytes)?.[1];
    expect(token !== undefined && lines.join().includes(token)).toBe(false);
    expect(bench.provider.requests).toEqual([]);
  },
);

test("what is not refused is counted as a call, with its tokens", async () => {
  const { model } = await bench.attempt();
  await (await bench.callModel(model)).text();
  expect(metrics.counted("model_calls", { provider: "openai", became: "completed" })).toBe(1);
  expect(metrics.counted("model_tokens", { provider: "openai", kind: "input" })).toBe(1_000);
  expect(metrics.counted("model_tokens", { provider: "openai", kind: "output" })).toBe(50);
  const open = metrics.told.filter(({ name }) => name === "model_calls_open");
  expect(open.map(({ value }) => value).slice(-2)).toEqual([1, 0]);
});
