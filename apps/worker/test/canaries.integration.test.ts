import { randomUUID } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findScenario, type Scenario, startMockModel } from "@speckit/mock-model";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { freePort, startPrivateBroker } from "@speckit/private-broker";
import {
  codexBinary,
  eventually,
  gitServer,
  runProgram,
  statement,
  statsdListener,
  tempFolder,
  testDatabase,
} from "@speckit/testkit";
import { expect, test } from "vitest";
import {
  type Place,
  placesOfDatabase,
  placesOfFolder,
  placesOfRepository,
  placesWith,
} from "./places-of-keys.ts";
import { plainClient } from "./plain-client.ts";
import { runRows } from "./run-rows.ts";
import { startWorkerProcess } from "./worker-process.ts";

const PREFIX = "canaries";
const SPECKIT = fileURLToPath(new URL("../../cli/bin/speckit.mjs", import.meta.url));
const SCRIPTED = fileURLToPath(
  new URL("../../../packages/orchestrator/agents/scripted.mjs", import.meta.url),
);
const LEAKY_AGENT = fileURLToPath(new URL("./leaky-agent.mjs", import.meta.url));

/** With signs that look otherwise in a URL and in JSON. */
const canary = (name: string): string => `${name}/${randomUUID()}+"1`;

/** By the way each comes in. */
const CANARIES = {
  modelKey: canary("sk-model"),
  header: canary("header"),
  gitToken: canary("ghs-git"),
  agentSecret: canary("agent"),
  databasePassword: canary("postgres"),
  brokerPassword: canary("amqp"),
  /** Of somebody who sends it with a request: nobody has told speckit that it is a secret. */
  inUrl: `in-url-${randomUUID()}`,
  userInUrl: `user-${randomUUID()}`,
};

const database = await testDatabase();

test("secrets that come in by every way there is come out by none: logs, rows, messages, artifacts, commands, metrics", async () => {
  const { modelKey, header, gitToken, agentSecret, databasePassword, brokerPassword } = CANARIES;
  const { inUrl, userInUrl } = CANARIES;
  await using folder = await tempFolder("canaries");
  await using model = await startMockModel({ apiKey: modelKey });
  await using statsd = await statsdListener();
  await using broker = await startPrivateBroker();
  await broker.control(["add_user", "canary", brokerPassword]);
  await broker.control(["set_permissions", "canary", ".*", ".*", ".*"]);
  const role = `canary_${randomUUID().replaceAll("-", "")}`;
  const quoted = `'${databasePassword.replaceAll("'", "''")}'`;
  await statement(database.url, `CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD ${quoted}`);
  const withLogin = (url: string, user: string, password: string): string => {
    const login = new URL(url);
    login.username = user;
    login.password = encodeURIComponent(password);
    return login.href;
  };
  const services = {
    DATABASE_URL: withLogin(database.url, role, databasePassword),
    AMQP_URL: withLogin(broker.url, "canary", brokerPassword),
    SPECKIT_AMQP_PREFIX: PREFIX,
  };

  const repositories = join(folder.path, "repositories");
  const remote = await makeSampleRemote(join(repositories, "open"));
  const closed = await makeSampleRemote(join(repositories, "closed"));
  // The remote's own words are told to people: they hold what it was called with.
  const hook = join(closed, "hooks", "pre-receive");
  await writeFile(
    hook,
    `#!/bin/sh\ncat >&2 <<'END'\nnot for ${gitToken} nor https://x-access-token:${encodeURIComponent(gitToken)}@host\nEND\nexit 1\n`,
  );
  await chmod(hook, 0o755);
  const server = await gitServer({ folder: repositories, login: `x-access-token:${gitToken}` });
  const at = (path: string) => `${server.url}/${basename(dirname(path))}/${basename(path)}`;

  // A provider that says in its refusal what it was called with, and in a header.
  const speckit = findScenario("speckit");
  const telling: Scenario = async (request) => ({
    kind: "json",
    status: 400,
    headers: { "x-request-id": modelKey.replaceAll('"', "") },
    body: { error: { message: JSON.stringify(request.headers), type: "invalid", code: null } },
  });
  const talk: Scenario = (request) =>
    JSON.stringify(request.body).includes("Refuse me")
      ? telling(request)
      : (speckit?.(request) ?? { kind: "silence" });

  await using worker = await startWorkerProcess({
    databaseUrl: services.DATABASE_URL,
    amqpUrl: services.AMQP_URL,
    prefix: PREFIX,
    stateDir: join(folder.path, "state"),
    env: {
      STATSD_HOST: "127.0.0.1",
      STATSD_PORT: String(statsd.port),
      SPECKIT_AGENT: "codex",
      SPECKIT_CODEX_PATH: codexBinary(),
      SPECKIT_CODEX_MODEL: "gpt-5.5",
      SPECKIT_CODEX_BASE_URL: model.baseUrl(talk),
      SPECKIT_CODEX_HEADERS: JSON.stringify({ "x-acme": header }),
      CODEX_API_KEY: modelKey,
      SPECKIT_AGENT_COMMAND: JSON.stringify([process.execPath, LEAKY_AGENT, SCRIPTED]),
      SPECKIT_AGENT_SECRETS: "ACME_API_KEY",
      ACME_API_KEY: agentSecret,
      SPECKIT_GIT_TOKEN: gitToken,
      SPECKIT_GIT_HOST: server.host,
      SPECKIT_REPOSITORIES: `${server.url}/*`,
      GIT_SSL_CAINFO: server.caFile,
    },
  });
  await using client = await plainClient(broker.url, PREFIX);
  const publish = async (repository: string, sentence: string, backend: string) => {
    const runId = randomUUID();
    const request = { schemaVersion: 1, runId, repository, specifyText: sentence };
    await client.publish({ ...request, agent: { backend }, phases: ["specify"] }, runId);
    return runId;
  };
  const leaky = await publish(at(remote), "Add a page", "command");
  const refused = await publish(at(remote), "Refuse me", "codex");
  const pushed = await publish(at(closed), "Add a page", "command");
  const good = await publish(at(remote), "Add OAuth login", "codex");
  await publish(`https://${userInUrl}:${inUrl}@${server.host}/open`, "Add a page", "codex");
  const runIds = [leaky, refused, pushed, good];
  const runs = await eventually(
    "every run is over",
    () => runRows(database.url, runIds),
    (rows) => rows.length === 4 && rows.every(({ cleaned }) => cleaned),
    { withinMs: 120_000 },
  );
  const outcomeOf = (runId: string) => {
    const run = runs.find(({ id }) => id === runId);
    return run?.failure?.code ?? run?.outcome;
  };
  expect([leaky, refused, pushed, good].map(outcomeOf)).toEqual([
    "succeeded",
    expect.stringMatching(/^MODEL_/),
    "PUSH_REFUSED",
    "succeeded",
  ]);

  const terminal = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { stdout, stderr } = await runProgram(SPECKIT, [...args, "--verbose"], {
      env: { SPECKIT_HOME: join(folder.path, "terminal"), ...services, ...env },
    });
    return { name: `speckit ${args[0]} ${args[1]}`, content: Buffer.from(stdout + stderr) };
  };
  const dead = await terminal(["dead", "list"]);
  const [letter = ""] = dead.content.toString().split(" ");
  const nobody = await freePort();
  const away = (url: string) => Object.assign(new URL(url), { port: String(nobody) }).href;
  const shown = await Promise.all([
    ...runIds.flatMap((runId) => [
      terminal(["status", runId, "--json"]),
      terminal(["logs", runId, "--json"]),
    ]),
    terminal(["events", refused]),
    terminal(["dead", "show", letter]),
    terminal(["run", `https://${userInUrl}:${inUrl}@${server.host}/open`, "Add a page"]),
    terminal(["status", leaky], { DATABASE_URL: away(services.DATABASE_URL) }),
    terminal(["cancel", leaky], { AMQP_URL: away(services.AMQP_URL) }),
    terminal(["list", "--json"], { DATABASE_URL: `${services.DATABASE_URL}_no_such` }),
    terminal(["doctor", "--json"], {
      SPECKIT_RUNTIME: "process",
      SPECKIT_CODEX_PATH: codexBinary(),
      SPECKIT_CODEX_BASE_URL: model.baseUrl(telling),
      CODEX_API_KEY: modelKey,
    }),
  ]);
  const letters = await client.dead();
  worker.kill("SIGTERM");
  const { stderr, stdout } = await worker.result;

  const places: readonly Place[] = [
    { name: "log of the worker", content: Buffer.from(stderr + stdout) },
    { name: "messages", content: Buffer.from(JSON.stringify([client.events, client.answers])) },
    {
      name: "dead letters",
      content: Buffer.concat(
        letters.map(({ body, headers }) => Buffer.from(body + JSON.stringify(headers))),
      ),
    },
    { name: "metrics", content: Buffer.from(statsd.datagrams.join("\n")) },
    dead,
    ...shown,
    ...(await placesOfDatabase(database.url)),
    ...(await placesOfFolder(join(folder.path, "state"))),
    ...(await placesOfRepository(remote)),
  ];
  for (const [name, secret] of Object.entries(CANARIES)) {
    expect(placesWith(places, secret), name).toEqual([]);
    expect(placesWith(places, JSON.stringify(secret).slice(1, -1)), name).toEqual([]);
  }

  // The search finds what is there, at each kind of place, and the secrets were really used.
  expect(placesWith(places, leaky)).toEqual(
    expect.arrayContaining([
      "log of the worker",
      "messages",
      `speckit status ${leaky}`,
      "table public.spec_workflow_runs",
    ]),
  );
  expect(placesWith(places, "[redacted]").length).toBeGreaterThan(5);
  expect(placesWith(places, `told ${agentSecret.length} characters`).join()).toContain(
    "stdout.log",
  );
  expect(placesWith(places, "speckit.runs_ended")).toEqual(["metrics"]);
  expect(letters).toHaveLength(1);
  const calls = model.requests().map(({ headers }) => [headers.authorization, headers["x-acme"]]);
  expect(calls).toContainEqual([`Bearer ${modelKey}`, header]);
  expect(shown.filter(({ content }) => content.length === 0)).toEqual([]);
}, 300_000);
