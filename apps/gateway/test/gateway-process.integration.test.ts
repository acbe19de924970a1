import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  eventually,
  freePort,
  type RunningProgram,
  runProgram,
  startProgram,
  tcpProxy,
  tempFolder,
  testDatabase,
} from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const database = await testDatabase();

let folder: Awaited<ReturnType<typeof tempFolder>>;
let socketPath: string;
const running: RunningProgram[] = [];
beforeEach(async () => {
  folder = await tempFolder("gateway-process");
  socketPath = join(folder.path, "g.sock");
});
afterEach(async () => {
  for (const program of running.splice(0)) {
    program.kill("SIGKILL");
    await program.result;
  }
  await folder[Symbol.asyncDispose]();
});

function start(...call: Parameters<typeof startProgram>): RunningProgram {
  const program = startProgram(...call);
  running.push(program);
  return program;
}

/** Status of a page on the socket that jobs see. */
async function statusOf(path: string): Promise<number | undefined> {
  const asked = get({ socketPath, path, agent: false });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

/** As a container's health check asks for it. */
const ready = () =>
  eventually(
    "it serves",
    () => statusOf("/healthz"),
    (status) => status === 200,
    { withinMs: 30_000 },
  );
const env = () => ({
  DATABASE_URL: database.url,
  CODEX_API_KEY: "sk-canary-gateway",
  SPECKIT_GATEWAY_SOCKET: socketPath,
});
const document = (more: object = {}) =>
  JSON.stringify({
    databaseUrl: database.url,
    upstreams: { openai: { apiKeys: ["sk-canary-gateway"] } },
    socketPath,
    ...more,
  });

describe("the gateway's program", () => {
  test("serves on a socket for everybody, says so in one line, and ends by SIGTERM with 0", async () => {
    const program = start(MAIN, [], { env: env() });
    await ready();
    expect(statSync(socketPath).mode & 0o777).toBe(0o666);
    program.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await program.result;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      event: "ready",
      deploymentId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      socketPath,
    });
    expect(stderr).not.toContain("sk-canary");
    expect(existsSync(socketPath)).toBe(false);
  });

  test("takes its configuration from stdin, with no secret in its environment or arguments", async () => {
    const program = start(MAIN, ["--config-stdin"], { input: document() });
    await ready();
    program.kill("SIGTERM");
    expect(await program.result).toMatchObject({ exitCode: 0 });
  });

  test("takes the place of one that was killed", async () => {
    const first = start(MAIN, [], { env: env() });
    await ready();
    first.kill("SIGKILL");
    await first.result;
    expect(existsSync(socketPath)).toBe(true);
    start(MAIN, [], { env: env() });
    await ready();
  });

  test("ends by itself when no attempt was live for as long as it is told", async () => {
    const program = start(MAIN, ["--config-stdin"], { input: document({ idleExitMs: 1_500 }) });
    await ready();
    const { exitCode, stderr } = await program.result;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('"because":"idle"');
  });

  test("waits for its database, and can be ended meanwhile", async () => {
    await using proxy = await tcpProxy(database.url);
    proxy.refuse();
    const program = start(MAIN, [], { env: { ...env(), DATABASE_URL: proxy.url } });
    await eventually("it has asked", proxy.refused, (times) => times > 1, { withinMs: 30_000 });
    expect(existsSync(socketPath)).toBe(false);
    program.kill("SIGTERM");
    const { exitCode, stderr } = await program.result;
    expect(exitCode).toBe(0);
    expect(stderr).toContain("DATABASE_UNAVAILABLE");
  });

  test("with the deployment's id, serves without its database", async () => {
    start(MAIN, [], {
      env: {
        ...env(),
        DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
        SPECKIT_DEPLOYMENT_ID: "0197f0a0-0000-7000-8000-000000000001",
      },
    });
    await ready();
  });

  test("tells its operator on a port of its own whether it lives, reaches its database, and what it has counted", async () => {
    await using proxy = await tcpProxy(database.url);
    proxy.refuse();
    const port = await freePort();
    start(MAIN, [], {
      env: { ...env(), DATABASE_URL: proxy.url, SPECKIT_GATEWAY_HEALTH_PORT: String(port) },
    });
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    await eventually(
      "it is alive",
      () =>
        ask("/healthz").then(
          ({ status }) => status,
          () => undefined,
        ),
      (status) => status === 200,
      { withinMs: 30_000 },
    );
    const waiting = await ask("/readyz");
    expect(waiting.status).toBe(503);
    expect(await waiting.json()).toEqual({ status: "waiting", waitingFor: "PostgreSQL" });
    proxy.accept();
    await eventually(
      "it is ready",
      async () => (await ask("/readyz")).status,
      (status) => status === 200,
      {
        withinMs: 30_000,
      },
    );
    await ready();
    // Where jobs are there is nothing of it.
    for (const path of ["/metrics", "/readyz"]) {
      expect(await statusOf(path)).toBe(404);
    }
    const page = await ask("/metrics");
    expect(page.headers.get("content-type")).toContain("text/plain");
    expect(await page.text()).toContain('speckit_gateway_refusals_total{reason="not_found"} 2');
    expect((await ask("/else")).status).toBe(404);
  });

  test.each([
    [["--help"], {}, 2, "expected --config-stdin"],
    [[], {}, 78, "DATABASE_URL: expected"],
    [["--config-stdin"], { input: "{" }, 78, "expected one JSON document"],
  ] as const)("called as %j %j exits with %d", async (args, options, exitCode, words) => {
    const done = await runProgram(MAIN, args, options);
    expect(done).toMatchObject({ exitCode, stderr: expect.stringContaining(words) });
  });

  test("whose socket cannot be made exits with an error, not silently", async () => {
    writeFileSync(socketPath, "no socket");
    const done = await runProgram(MAIN, [], { env: env() });
    expect(done).toMatchObject({ exitCode: 78, stderr: expect.stringContaining("no socket") });
  });
});
