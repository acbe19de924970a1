import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readGatewayConfig } from "../../src/node/index.ts";

const folder = mkdtempSync(join(tmpdir(), "speckit-test-gateway-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const LEAST = { DATABASE_URL: "postgres://g:pw@db/speckit", CODEX_API_KEY: "sk-1" };
const refusalOf = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    expect(error).toMatchObject({ code: "CONFIGURATION_INVALID" });
    return (error as Error).message;
  }
  throw new Error("taken");
};

describe("the gateway's configuration", () => {
  test("needs a database alone; without a key jobs are started and no model is called", () => {
    const environment = { DATABASE_URL: LEAST.DATABASE_URL };
    expect(readGatewayConfig({ environment }).upstreams).toEqual({});
  });

  test("comes from an environment; empty variables are not set", () => {
    const environment = { ...LEAST, SPECKIT_CODEX_BASE_URL: "", SPECKIT_LOG_LEVEL: "" };
    expect(readGatewayConfig({ environment })).toEqual({
      databaseUrl: LEAST.DATABASE_URL,
      upstreams: { openai: { apiKeys: ["sk-1"] } },
      socketPath: "/run/speckit-gateway/gateway.sock",
      healthHost: "127.0.0.1",
    });
  });

  test("takes secrets from files, and the key by its other name", () => {
    const environment = {
      DATABASE_URL_FILE: file("url", "postgres://db/speckit\n"),
      OPENAI_API_KEY_FILE: file("key", "sk-2\n"),
      SPECKIT_CODEX_HEADERS_FILE: file("headers", '{"OpenAI-Project":"p"}'),
      SPECKIT_GATEWAY_IDLE_EXIT_MS: "60000",
      SPECKIT_GATEWAY_SOCKET: "/tmp/g.sock",
    };
    expect(readGatewayConfig({ environment })).toMatchObject({
      databaseUrl: "postgres://db/speckit",
      upstreams: { openai: { apiKeys: ["sk-2"], headers: { "OpenAI-Project": "p" } } },
      idleExitMs: 60_000,
      socketPath: "/tmp/g.sock",
    });
  });

  test("has a provider for each that there is a key of, with several keys where there are commas", () => {
    const environment = {
      ...LEAST,
      CODEX_API_KEY: "sk-1, sk-2",
      ANTHROPIC_API_KEY: "sk-ant-1,sk-ant-2",
      SPECKIT_ANTHROPIC_BASE_URL: "https://claude.internal",
      SPECKIT_GEMINI_BASE_URL: "https://without.a.key",
      STATSD_PORT: "8126",
      SPECKIT_GATEWAY_HEALTH_PORT: "9090",
    };
    const { upstreams, statsd, healthPort } = readGatewayConfig({ environment });
    expect(upstreams).toEqual({
      openai: { apiKeys: ["sk-1", "sk-2"] },
      anthropic: { apiKeys: ["sk-ant-1", "sk-ant-2"], baseUrl: "https://claude.internal" },
    });
    expect(statsd).toBeUndefined();
    expect(healthPort).toBe(9_090);
  });

  test("has the allow-list line by line, and none that is not understood", () => {
    const environment = {
      ...LEAST,
      SPECKIT_EGRESS_ALLOW: "one.example.org, *.two.example.org:8443@plan",
    };
    expect(readGatewayConfig({ environment }).egressAllow).toEqual([
      "one.example.org",
      "*.two.example.org:8443@plan",
    ]);
    const odd = { ...LEAST, SPECKIT_EGRESS_ALLOW: "one.example.org,10.0.0.1" };
    expect(refusalOf(() => readGatewayConfig({ environment: odd }))).toMatch(
      /SPECKIT_EGRESS_ALLOW.*expected host/,
    );
  });

  test("comes as one document with the same fields", () => {
    const document = {
      databaseUrl: "postgres://db/speckit",
      upstreams: { openai: { apiKeys: ["sk-3"] } },
      deploymentId: "0197f0a0-0000-7000-8000-000000000001",
      modelPrices: {
        m: {
          inputUsdPerMTok: 1,
          cachedInputUsdPerMTok: 0.1,
          outputUsdPerMTok: 10,
          asOf: "2026-11-01",
        },
      },
      proxy: { httpsProxy: "http://proxy:3128" },
      idleExitMs: 60_000,
    };
    expect(readGatewayConfig({ document: JSON.stringify(document) })).toMatchObject(document);
  });

  test.each([
    [{}, "DATABASE_URL: expected"],
    [{ ...LEAST, CODEX_API_KEY: "sk 1" }, "CODEX_API_KEY.0: expected a key"],
    [{ ...LEAST, DATABASE_URL: "mysql://x" }, "DATABASE_URL: expected a URL that starts with"],
    [
      { ...LEAST, SPECKIT_GATEWAY_SOCKET: "g.sock" },
      "SPECKIT_GATEWAY_SOCKET: expected an absolute",
    ],
    [
      { ...LEAST, SPECKIT_GATEWAY_IDLE_EXIT_MS: "soon" },
      "SPECKIT_GATEWAY_IDLE_EXIT_MS: expected a whole number of milliseconds",
    ],
    [{ ...LEAST, SPECKIT_CODEX_HEADERS: "no json" }, "SPECKIT_CODEX_HEADERS: expected a JSON"],
    [{ ...LEAST, SPECKIT_MODEL_PRICES: '{"m":{}}' }, "SPECKIT_MODEL_PRICES.m.asOf: expected"],
    [
      { ...LEAST, CODEX_API_KEY_FILE: "/nowhere" },
      "CODEX_API_KEY: expected either it or CODEX_API_KEY_FILE, got both",
    ],
    [{ DATABASE_URL_FILE: "/nowhere" }, "DATABASE_URL_FILE: expected a readable file"],
  ])("refuses %j, and names the variable", (environment, message) => {
    expect(refusalOf(() => readGatewayConfig({ environment }))).toContain(message);
  });

  test.each([
    ["no json", "expected one JSON document on stdin"],
    ["[]", "expected"],
    ['{"databaseUrl":"postgres://db/x","upstreams":{},"idle":1}', "idle"],
    [
      '{"databaseUrl":"postgres://db/x","upstreams":{"gemini":{"apiKeys":["sk 4"]}}}',
      "upstreams.gemini.apiKeys.0: expected a key",
    ],
    [
      '{"databaseUrl":"postgres://db/x","extraCaPem":"none"}',
      "extraCaPem: expected certificates in PEM",
    ],
  ])("refuses the document %s", (document, message) => {
    expect(refusalOf(() => readGatewayConfig({ document }))).toContain(message);
  });

  test("says no secret when it refuses one", () => {
    const environment = { DATABASE_URL: "secret-1", CODEX_API_KEY: "secret 2" };
    expect(refusalOf(() => readGatewayConfig({ environment }))).not.toContain("secret");
  });
});
