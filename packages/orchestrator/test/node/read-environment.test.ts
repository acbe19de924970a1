import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secretsOf } from "../../src/node/config.ts";
import { readAsFarAsValid, readEnvironment } from "../../src/node/read-environment.ts";
import { SETTINGS } from "../../src/node/settings-table.ts";

const refusalOf = (env: Record<string, string>) => {
  try {
    readEnvironment(env);
  } catch (error) {
    return error;
  }
  throw new Error("expected a refusal");
};

describe("readEnvironment", () => {
  test("nothing set is the embedded mode with defaults", () => {
    const config = readEnvironment({ HOME: "/home/ada" });
    expect(config).toMatchObject({
      stateDir: "/home/ada/.local/state/speckit",
      gitCredentials: [],
    });
    expect(config.databaseUrl).toBeUndefined();
    expect(config.agent).toBe("codex");
  });

  test("days and MiB become what the code counts in", () => {
    const env = { SPECKIT_RUN_RETENTION_DAYS: "500", SPECKIT_FREE_SPACE_FLOOR_MB: "0" };
    expect(readEnvironment(env).settings).toEqual({
      runRetentionMs: 500 * 86_400_000,
      freeBytesFloor: 0,
    });
  });

  test("an empty variable counts as not set", () => {
    expect(readEnvironment({ AMQP_URL: "", SPECKIT_SLOTS: "" }).slots).toBeUndefined();
  });

  test("metrics go where STATSD_HOST says, and nowhere without it", () => {
    const names = { SPECKIT_STATSD_PREFIX: "acme.speckit", SPECKIT_STATSD_TAGS: "names" };
    const more = { STATSD_PORT: "9125", ...names };
    expect(readEnvironment(more).statsd).toBeUndefined();
    expect(readEnvironment({ STATSD_HOST: "statsd" }).statsd).toEqual({ host: "statsd" });
    expect(readEnvironment({ STATSD_HOST: "10.0.0.7", ...more }).statsd).toEqual({
      host: "10.0.0.7",
      port: 9_125,
      prefix: "acme.speckit",
      tags: "names",
    });
  });

  test("secrets of an agent are read by their names, also from files, and are no log's", () => {
    const folder = mkdtempSync(join(tmpdir(), "speckit-secrets-"));
    try {
      writeFileSync(join(folder, "other"), "other-secret\n");
      const config = readEnvironment({
        SPECKIT_AGENT_COMMAND: '["acme"]',
        SPECKIT_AGENT_SECRETS: "ACME_API_KEY, OTHER",
        ACME_API_KEY: "acme-secret",
        OTHER_FILE: join(folder, "other"),
        NOT_NAMED: "not-named",
      });
      expect(config.agentSecrets).toEqual({ ACME_API_KEY: "acme-secret", OTHER: "other-secret" });
      expect(secretsOf(config)).toEqual(expect.arrayContaining(["acme-secret", "other-secret"]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ["is not set", { SPECKIT_AGENT_SECRETS: "ACME" }, "ACME: expected it or ACME_FILE"],
    [
      "is no secret",
      { SPECKIT_AGENT_SECRETS: "ACME", ACME: "short" },
      "ACME: expected a secret of 8",
    ],
    ["is no name", { SPECKIT_AGENT_SECRETS: "A=B" }, 'got "A=B"'],
    ["is speckit's own", { SPECKIT_AGENT_SECRETS: "GITHUB_TOKEN" }, 'got "GITHUB_TOKEN"'],
    ["is the job's own", { SPECKIT_AGENT_SECRETS: "PATH" }, 'got "PATH"'],
  ])("a secret of an agent that %s is refused by its name", (_how, env, message) => {
    const error = refusalOf({ SPECKIT_AGENT_COMMAND: '["acme"]', ...env });
    expect(error).toMatchObject({ code: "CONFIGURATION_INVALID" });
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain("short");
  });

  test("secrets without a command to give them to are refused", () => {
    const error = refusalOf({ SPECKIT_AGENT_SECRETS: "ACME", ACME: "acme-secret" });
    expect(String(error)).toContain("SPECKIT_AGENT_COMMAND: expected");
  });

  test("the session lock is on unless it is switched off", () => {
    expect(readEnvironment({}).sessionLock).toBeUndefined();
    expect(readEnvironment({ SPECKIT_SESSION_LOCK: "on" }).sessionLock).toBe(true);
    expect(readEnvironment({ SPECKIT_SESSION_LOCK: "off" }).sessionLock).toBe(false);
  });

  test("XDG_STATE_HOME holds the state where it is set", () => {
    const { stateDir } = readEnvironment({ HOME: "/home/ada", XDG_STATE_HOME: "/var/ada" });
    expect(stateDir).toBe("/var/ada/speckit");
  });

  test.each([
    [{ SPECKIT_SLOTS: "many" }, "SPECKIT_SLOTS", "many"],
    [{ SPECKIT_LEASE_MS: "10" }, "SPECKIT_LEASE_MS", "10"],
    [{ SPECKIT_HEARTBEAT_MS: "20000" }, "SPECKIT_HEARTBEAT_MS", "20000"],
    [{ SPECKIT_RUNTIME: "podman" }, "SPECKIT_RUNTIME", "podman"],
    [{ SPECKIT_AGENT: "claude" }, "SPECKIT_AGENT", "claude"],
    [{ SPECKIT_CODEX_PATH: "./codex" }, "SPECKIT_CODEX_PATH", "./codex"],
    [{ SPECKIT_CODEX_BASE_URL: "ftp://x" }, "SPECKIT_CODEX_BASE_URL", "ftp://x"],
    [{ SPECKIT_CODEX_OPTIONS: "shell" }, "SPECKIT_CODEX_OPTIONS", "shell"],
    [{ SPECKIT_CODEX_MODELS: 'a,"b' }, "SPECKIT_CODEX_MODELS", '"b'],
    [{ SPECKIT_MODEL_PRICES: '{"m":{"inputUsdPerMTok":1}}' }, "SPECKIT_MODEL_PRICES", "inputUsd"],
    [{ SPECKIT_EGRESS_ALLOW: "a.example.org,127.0.0.1" }, "SPECKIT_EGRESS_ALLOW", "127.0.0.1"],
    [{ SPECKIT_EGRESS_PROBE: "a.example.org" }, "SPECKIT_EGRESS_PROBE", "a.example.org"],
    [{ SPECKIT_UNSAFE: "yes" }, "SPECKIT_UNSAFE", "yes"],
    [{ SPECKIT_AGENT: "command" }, "SPECKIT_AGENT_COMMAND", "nothing"],
    [{ SPECKIT_AGENT_COMMAND: '["a", 1]' }, "SPECKIT_AGENT_COMMAND", '[\\"a\\", 1]'],
    [{ SPECKIT_ARTIFACT_RETENTION_MS: "1000" }, "SPECKIT_ARTIFACT_RETENTION_MS", "1000"],
    [{ SPECKIT_RUN_RETENTION_DAYS: "6" }, "SPECKIT_RUN_RETENTION_DAYS", "6"],
    [
      { SPECKIT_RUN_RETENTION_DAYS: "8", SPECKIT_ARTIFACT_RETENTION_MS: "777600000" },
      "SPECKIT_RUN_RETENTION_DAYS",
      "no less than SPECKIT_ARTIFACT_RETENTION_MS",
    ],
    [{ SPECKIT_FREE_SPACE_FLOOR_MB: "1 GB" }, "SPECKIT_FREE_SPACE_FLOOR_MB", "1 GB"],
    [{ SPECKIT_SESSION_LOCK: "no" }, "SPECKIT_SESSION_LOCK", "no"],
    [{ STATSD_HOST: "udp://statsd" }, "STATSD_HOST", "udp://statsd"],
    [{ STATSD_PORT: "0" }, "STATSD_PORT", "0"],
    [{ SPECKIT_STATSD_PREFIX: "acme." }, "SPECKIT_STATSD_PREFIX", "acme."],
    [{ SPECKIT_COMMIT_EMAIL: "a b" }, "SPECKIT_COMMIT_EMAIL", "a b"],
    [{ SPECKIT_GIT_TOKEN: "s3cr3t-value" }, "SPECKIT_GIT_HOST", "nothing"],
    [{ AMQP_URL: "amqp://localhost" }, "DATABASE_URL", "AMQP_URL is set"],
    [{ DATABASE_URL: "postgres://localhost/a" }, "AMQP_URL", "DATABASE_URL is set"],
  ] as const)("%j is refused by name", (env, name, came) => {
    expect(refusalOf(env)).toMatchObject({
      code: "CONFIGURATION_INVALID",
      message: expect.stringContaining(name),
    });
    expect(String(refusalOf(env))).toContain(came);
  });

  test("a secret never stands in a refusal", () => {
    const env = { DATABASE_URL: "mysql://ada:hunter2-secret@host/db", AMQP_URL: "amqp://h" };
    expect(String(refusalOf(env))).not.toContain("hunter2-secret");
    const headers = { SPECKIT_CODEX_HEADERS: '{"X-Team":"hunter2-secret"', CODEX_API_KEY: "a b" };
    expect(String(refusalOf(headers))).not.toMatch(/hunter2|a b/);
  });

  test("every secret has a _FILE twin; both at once are refused", () => {
    const folder = mkdtempSync(join(tmpdir(), "speckit-test-env-"));
    try {
      const file = join(folder, "token");
      writeFileSync(file, "ghp_from_a_file\n");
      const config = readEnvironment({ GITHUB_TOKEN_FILE: file });
      expect(config.gitCredentials).toEqual([
        { host: "github.com", username: "x-access-token", token: "ghp_from_a_file" },
      ]);
      expect(String(refusalOf({ GITHUB_TOKEN_FILE: file, GITHUB_TOKEN: "x" }))).toContain(
        "got both",
      );
      const missing = join(folder, "missing");
      expect(String(refusalOf({ AMQP_URL_FILE: missing }))).toContain(missing);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(SETTINGS.filter((setting) => "secret" in setting).map(({ name }) => name)).toEqual([
      "DATABASE_URL",
      "DATABASE_DIRECT_URL",
      "AMQP_URL",
      "CODEX_API_KEY",
      "OPENAI_API_KEY",
      "SPECKIT_CODEX_HEADERS",
      "ANTHROPIC_API_KEY",
      "SPECKIT_ANTHROPIC_HEADERS",
      "GEMINI_API_KEY",
      "SPECKIT_GEMINI_HEADERS",
      "SPECKIT_GATEWAY_DATABASE_URL",
      "GITHUB_TOKEN",
      "GITHUB_APP_PRIVATE_KEY",
      "SPECKIT_GIT_TOKEN",
      "SPECKIT_HTTP_TOKEN",
    ]);
  });

  test("the token of readers is hidden from the log, and one that could be guessed is refused unsaid", () => {
    const config = readEnvironment({ SPECKIT_HTTP_TOKEN: "0123456789abcdef" });
    expect(secretsOf(config)).toContain(config.httpToken);
    const refused = String(refusalOf({ SPECKIT_HTTP_TOKEN: "too-short" }));
    expect(refused).toContain("SPECKIT_HTTP_TOKEN: expected at least 16 characters");
    expect(refused).not.toContain("too-short");
  });

  test("a provider may have several keys; where it is says nothing without one", () => {
    const config = readEnvironment({
      CODEX_API_KEY: "sk-1,sk-2",
      ANTHROPIC_API_KEY: "sk-ant-1",
      SPECKIT_ANTHROPIC_BASE_URL: "https://claude.internal",
      SPECKIT_GEMINI_BASE_URL: "https://gemini.internal",
    });
    expect(config.codex?.apiKeys).toEqual(["sk-1", "sk-2"]);
    expect(config.providers).toEqual({
      anthropic: { apiKeys: ["sk-ant-1"], baseUrl: "https://claude.internal" },
    });
    expect(secretsOf(config)).toEqual(["sk-ant-1", "sk-1", "sk-2"]);
  });

  test("keys and trailers of git are read, and what git or ssh could not be given is refused", () => {
    const config = readEnvironment({
      SPECKIT_SSH_KEY_FILE: "/keys/deploy key",
      SPECKIT_COMMIT_SIGNING_KEY_FILE: "/keys/signing",
      SPECKIT_COMMIT_SIGNOFF: "on",
      SPECKIT_COMMIT_TRAILERS: "Co-authored-by: Ada <ada@example.org>\n\nTeam: Docs\n",
    });
    expect(config).toMatchObject({
      ssh: { keyFile: "/keys/deploy key" },
      commitSigning: { kind: "ssh", keyFile: "/keys/signing" },
      commitSignoff: true,
      commitTrailers: ["Co-authored-by: Ada <ada@example.org>", "Team: Docs"],
    });
    expect(readEnvironment({ SPECKIT_COMMIT_GPG_KEY: "ABCD1234" }).commitSigning).toEqual({
      kind: "gpg",
      key: "ABCD1234",
    });
    for (const [name, value] of [
      ["SPECKIT_SSH_KEY_FILE", "keys/deploy"],
      ["SPECKIT_SSH_KNOWN_HOSTS_FILE", '/known"hosts'],
      ["SPECKIT_COMMIT_TRAILERS", "no trailer"],
      ["SPECKIT_COMMIT_GPG_KEY", "--output=/x"],
    ] as const) {
      expect(String(refusalOf({ [name]: value }))).toContain(`${name}: expected`);
    }
    const both = { SPECKIT_COMMIT_SIGNING_KEY_FILE: "/k", SPECKIT_COMMIT_GPG_KEY: "ABCD" };
    expect(String(refusalOf(both))).toContain("expected either it or");
  });

  test("the secrets of a configuration are its tokens and the passwords of its URLs", () => {
    const config = readEnvironment({
      DATABASE_URL: "postgres://ada:p%40ss-word@host/db",
      AMQP_URL: "amqp://bob:rabbit-word@host",
      SPECKIT_GIT_TOKEN: "git-token-word",
      SPECKIT_GIT_HOST: "git.example.com",
    });
    expect(secretsOf(config)).toEqual(["p@ss-word", "rabbit-word", "git-token-word"]);
  });
});

test("GitHub's token goes to the host of its API", () => {
  const token = { GITHUB_TOKEN: "github_pat_1" };
  const hostsOf = (env: Record<string, string>) =>
    readEnvironment(env).gitCredentials?.map(({ host }) => host);
  expect(hostsOf(token)).toEqual(["github.com"]);
  expect(hostsOf({ ...token, GITHUB_API_URL: "https://ghe.example.org/api/v3" })).toEqual([
    "ghe.example.org",
  ]);
});

test("a GitHub App needs its key, stands in for a token, and its key is a secret", () => {
  const privateKey = "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----";
  const app = { GITHUB_APP_ID: "77", GITHUB_APP_PRIVATE_KEY: privateKey };
  const config = readEnvironment({ ...app, GITHUB_APP_INSTALLATION_ID: "5" });
  expect(config.gitHub?.app).toEqual({ id: "77", privateKey, installationId: 5 });
  expect(secretsOf(config)).toContain(privateKey);
  expect(() => readEnvironment({ GITHUB_APP_ID: "77" })).toThrow("GITHUB_APP_PRIVATE_KEY");
  expect(() => readEnvironment({ ...app, GITHUB_TOKEN: "x" })).toThrow("GITHUB_TOKEN");
});

test("labels of pull requests: those that are named, or none", () => {
  const labels = (text: string) =>
    readEnvironment({ SPECKIT_PULL_REQUEST_LABELS: text }).settings?.pullRequestLabels;
  expect(labels("spec, ready")).toEqual(["spec", "ready"]);
  expect(labels("none")).toEqual([]);
  expect(labels("")).toBeUndefined();
});

test("what can be read of a broken configuration leaves out what is wrong, and what belongs to it", () => {
  const { config, problems, leftOut } = readAsFarAsValid({
    AMQP_URL: "http://rabbit",
    DATABASE_URL: "postgres://db/speckit",
    SPECKIT_SLOTS: "many",
    SPECKIT_AGENT: "command",
    GITHUB_TOKEN: "token",
    GITHUB_APP_ID: "17",
    SPECKIT_GIT_TOKEN_FILE: "/nonexistent/token",
    SPECKIT_HOLD_MS: "5000",
  });
  expect(problems.map((line) => line.split(":")[0])).toEqual([
    "SPECKIT_GIT_TOKEN_FILE",
    "AMQP_URL",
    "SPECKIT_SLOTS",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_TOKEN",
    "SPECKIT_AGENT_COMMAND",
  ]);
  expect([...leftOut].sort()).toEqual([
    "AMQP_URL",
    "GITHUB_APP_ID",
    "GITHUB_TOKEN",
    "SPECKIT_AGENT",
    "SPECKIT_GIT_TOKEN",
    "SPECKIT_SLOTS",
  ]);
  expect(config).toMatchObject({
    databaseUrl: "postgres://db/speckit",
    settings: { holdMs: 5_000 },
    gitCredentials: [],
  });
  expect(config.slots).toBeUndefined();
});
