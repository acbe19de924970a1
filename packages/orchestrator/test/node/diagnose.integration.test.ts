import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type MockGitHub, startMockGitHub } from "@speckit/mock-github";
import { type PrivateBroker, startPrivateBroker } from "@speckit/private-broker";
import {
  declareTopology,
  eventually,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import amqp from "amqplib";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { namesOf, topologyOf } from "../../src/adapters/rabbitmq/index.ts";
import { systemClock } from "../../src/adapters/system/index.ts";
import type { OrchestratorConfig } from "../../src/node/config.ts";
import { type DiagnoseOptions, diagnose } from "../../src/node/diagnose.ts";
import type { CheckName } from "../../src/ports/checks.ts";
import type { DiagnosisState } from "../../src/ports/diagnosis.ts";
import { startPgBouncer } from "../adapters/postgres/pgbouncer.ts";

const database = await testDatabase();
const broken = await testDatabase();
const broker = testBroker();
const names = namesOf(broker.prefix);
/** Of roles and databases made here: they are the server's, not a database's. */
const own = `doctor_${randomBytes(4).toString("hex")}`;

let folder: TempFolder;
let gitHub: MockGitHub;
let environment: Record<string, string | undefined>;
let otherBroker: PrivateBroker;
let consumer: Awaited<ReturnType<typeof amqp.connect>>;

beforeAll(async () => {
  const starting = startPrivateBroker();
  folder = await tempFolder("doctor");
  gitHub = await startMockGitHub({ folder: join(folder.path, "github") });
  const caFile = join(folder.path, "ca.pem");
  await writeFile(caFile, gitHub.certificate ?? "");
  environment = { PATH: process.env.PATH, GIT_SSL_CAINFO: caFile };
  gitHub.giveToken("may-all", { kind: "classic", login: "robot", scopes: ["repo"] });
  gitHub.giveToken("may-push", {
    kind: "fine-grained",
    login: "robot",
    permissions: { metadata: "read", contents: "write" },
  });
  gitHub.giveToken("may-read", {
    kind: "fine-grained",
    login: "robot",
    permissions: { metadata: "read", contents: "read", pull_requests: "write" },
  });
  gitHub.repository("acme/shop");
  await declareTopology(broker);
  consumer = await amqp.connect(broker.url);
  const channel = await consumer.createChannel();
  for (const queue of [names.requests, names.work]) {
    await channel.consume(queue, () => {});
  }
  await sql(database.url, "INSERT INTO spec_workflow_workers (hostname) VALUES ('here')");
  otherBroker = await starting;
});
afterAll(async () => {
  await consumer?.close();
  await otherBroker?.stop();
  // Throws when a call was none that GitHub's description allows.
  await gitHub?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** What each case begins with, and adds what it is about. */
const bare = (): OrchestratorConfig => ({
  stateDir: folder.path,
  agent: "scripted",
  runtime: "process",
});

/** A deployment in which nothing is wrong. */
function fine(): OrchestratorConfig {
  return {
    ...bare(),
    databaseUrl: database.url,
    amqpUrl: broker.url,
    amqpPrefix: broker.prefix,
    ...atGitHub("may-all"),
  };
}

const atGitHub = (token: string) => ({
  repositories: [`${gitHub.url}/acme/shop`, "https://git.example.org/*"],
  gitHub: { apiUrl: gitHub.apiUrl },
  gitCredentials: [{ host: gitHub.host, username: "x-access-token", token }],
});

async function sql(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) {
      await client.query(statement);
    }
  } finally {
    await client.end();
  }
}

const look = (config: OrchestratorConfig, options: DiagnoseOptions = {}) =>
  diagnose(config, { environment, ...options });

function changed(
  url: string,
  changes: Partial<Record<"username" | "password" | "port" | "pathname", string>>,
) {
  const other = new URL(url);
  Object.assign(other, changes);
  return other.href;
}

test("of a deployment in which nothing is wrong, nothing is called a problem, and what is looked at is unchanged", async () => {
  const channel = await consumer.createChannel();
  channel.sendToQueue(names.start, Buffer.from("{}"), { persistent: true });
  channel.sendToQueue(names.dead, Buffer.from("{}"), { persistent: true });
  const found = await look(fine());
  expect(found.filter(({ state }) => state === "problem")).toEqual([]);
  const states = Object.fromEntries(found.map(({ check, state }) => [check, state]));
  expect(states).toMatchObject({
    "configuration.settings": "ok",
    "state.folder": "ok",
    "database.connection": "ok",
    "database.version": "ok",
    "database.writable": "ok",
    "database.schema": "ok",
    "database.rights": "ok",
    "database.clock": "ok",
    "database.session": "ok",
    "workers.seen": "ok",
    "runs.waiting": "ok",
    "model.cool-downs": "ok",
    "broker.connection": "ok",
    "broker.version": "ok",
    "broker.topology": "ok",
    "broker.rights": "ok",
    "broker.alarms": "ok",
    "broker.consumers": "ok",
    "git.push": "ok",
    "github.pull-requests": "ok",
  });
  // Not its first delivery if anybody had taken it and given it back.
  const message = await channel.get(names.start, { noAck: true });
  expect(message ? message.fields.redelivered : undefined).toBe(false);
  expect(await channel.purgeQueue(names.dead)).toEqual({ messageCount: 1 });
  expect(gitHub.repository("acme/shop").pulls).toEqual([]);
  await channel.close();
});

test("of a deployment that has never run nothing is made", async () => {
  const name = `${own}_empty`;
  await sql(inject("databaseUrl"), `CREATE DATABASE ${name}`);
  const url = changed(database.url, { pathname: `/${name}` });
  try {
    const stateDir = join(folder.path, "not", "yet");
    const config = { ...bare(), databaseUrl: url, amqpUrl: broker.url, amqpPrefix: own, stateDir };
    const found = await look(config);
    expect(found.filter(({ state }) => state === "problem")).toEqual([]);
    expect(found).toContainEqual(
      expect.objectContaining({ check: "database.schema", state: "warning" }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ check: "broker.topology", found: "nothing is declared yet" }),
    );
    const again = await look(config);
    const told = (all: typeof found) => all.map(({ check, state }) => [check, state]);
    expect(told(again)).toEqual(told(found));
  } finally {
    await sql(inject("databaseUrl"), `DROP DATABASE ${name} WITH (FORCE)`);
  }
});

interface Broken {
  readonly config?: Partial<OrchestratorConfig>;
  readonly options?: DiagnoseOptions;
  /** What has to be closed again. */
  readonly undo?: () => Promise<unknown>;
}

type Case = readonly [
  what: string,
  check: CheckName,
  state: DiagnosisState,
  found: RegExp,
  remedy: RegExp,
  make: () => Broken | Promise<Broken>,
];

const before = (url: string, statement: string, undo: string) => async (): Promise<Broken> => {
  await sql(url, statement);
  return { config: { databaseUrl: url }, undo: () => sql(url, undo) };
};

const LETS_WORKERS_IN =
  "ignore_startup_parameters = extra_float_digits, statement_timeout, idle_in_transaction_session_timeout";

const CASES: readonly Case[] = [
  [
    "no database answers",
    "database.connection",
    "problem",
    /ECONNREFUSED/,
    /Start PostgreSQL.*DATABASE_URL/,
    () => ({ config: { databaseUrl: changed(database.url, { port: "1" }) } }),
  ],
  [
    "the database refuses the password",
    "database.connection",
    "problem",
    /password authentication failed/,
    /user and password in DATABASE_URL/,
    async () => {
      const asking = await startPgBouncer(database.url, {
        settings: [LETS_WORKERS_IN],
        asks: "another",
      });
      return {
        config: { databaseUrl: changed(asking.url, { password: "wrong" }) },
        undo: async () => asking[Symbol.asyncDispose](),
      };
    },
  ],
  [
    "the database knows no such user",
    "database.connection",
    "problem",
    /nobody_here/,
    /user and password in DATABASE_URL/,
    () => ({ config: { databaseUrl: changed(database.url, { username: "nobody_here" }) } }),
  ],
  [
    "there is no such database",
    "database.connection",
    "problem",
    /does not exist/,
    /Create the database/,
    () => ({ config: { databaseUrl: changed(database.url, { pathname: "/nowhere" }) } }),
  ],
  [
    "migrations are due",
    "database.schema",
    "warning",
    /1 of \d+ migrations are due: 0008_pull_request/,
    /speckit migrate/,
    before(
      broken.url,
      "DELETE FROM spec_workflow_migrations WHERE name = '0008_pull_request'",
      "INSERT INTO spec_workflow_migrations VALUES ('0008_pull_request', '2026-01-01')",
    ),
  ],
  [
    "the tables are newer, in the middle of an upgrade",
    "database.schema",
    "warning",
    /may work with it: it does not know 9999_later/,
    /Finish the upgrade/,
    before(
      broken.url,
      "INSERT INTO spec_workflow_migrations VALUES ('9999_later', '2026-01-01')",
      "DELETE FROM spec_workflow_migrations WHERE name = '9999_later'",
    ),
  ],
  [
    "the tables are too new for the program",
    "database.schema",
    "problem",
    /needs a program that knows migration 9999/,
    /Update this program/,
    before(
      broken.url,
      "UPDATE spec_workflow_deployment SET oldest_program = 9999",
      "UPDATE spec_workflow_deployment SET oldest_program = 1",
    ),
  ],
  [
    "the role may only read",
    "database.rights",
    "problem",
    /lacks DELETE on .*; INSERT on .*; UPDATE on /,
    /own the tables/,
    async () => {
      const role = `${own}_reader`;
      await sql(
        database.url,
        `CREATE ROLE ${role} LOGIN PASSWORD 'reads'`,
        `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
      );
      return {
        config: { databaseUrl: changed(database.url, { username: role, password: "reads" }) },
        undo: () => sql(database.url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`),
      };
    },
  ],
  [
    "the role may have fewer connections than a worker takes",
    "database.connections",
    "problem",
    /of 3 are free, a worker takes up to 8/,
    /connection limit.*SPECKIT_SLOTS/,
    async () => {
      const role = `${own}_few`;
      await sql(database.url, `CREATE ROLE ${role} LOGIN PASSWORD 'few' CONNECTION LIMIT 3`);
      return {
        config: { databaseUrl: changed(database.url, { username: role, password: "few" }) },
        undo: () => sql(database.url, `DROP ROLE ${role}`),
      };
    },
  ],
  [
    "the database takes no writes",
    "database.writable",
    "problem",
    /read-only/,
    /default_transaction_read_only/,
    before(
      broken.url,
      `ALTER DATABASE ${broken.name} SET default_transaction_read_only = on`,
      `BEGIN READ WRITE; ALTER DATABASE ${broken.name} RESET default_transaction_read_only; COMMIT`,
    ),
  ],
  [
    "the database's clock is slow",
    "database.clock",
    "problem",
    /60\.0 s behind this machine's/,
    /NTP/,
    () => ({
      config: { databaseUrl: database.url },
      options: {
        clock: { ...systemClock, now: () => new Date(systemClock.now().getTime() + 60_000) },
      },
    }),
  ],
  [
    "a pooler is in front of the session lock",
    "database.session",
    "warning",
    /a pooler is in between/,
    /DATABASE_DIRECT_URL/,
    async () => {
      const pooler = await startPgBouncer(database.url, { settings: [LETS_WORKERS_IN] });
      return {
        config: { databaseUrl: pooler.url },
        undo: async () => pooler[Symbol.asyncDispose](),
      };
    },
  ],
  [
    "a pooler does not know what a worker tells the server",
    "database.connection",
    "problem",
    /unsupported startup parameter/,
    /ignore_startup_parameters/,
    async () => {
      const pooler = await startPgBouncer(database.url);
      return {
        config: { databaseUrl: pooler.url },
        undo: async () => pooler[Symbol.asyncDispose](),
      };
    },
  ],
  [
    "the direct URL leads to another database",
    "database.direct-url",
    "problem",
    /another database/,
    /same server and database/,
    () => ({ config: { databaseUrl: database.url, databaseDirectUrl: broken.url } }),
  ],
  [
    "no worker is there",
    "workers.seen",
    "warning",
    /there has never been a worker/,
    /speckit worker/,
    () => ({ config: { databaseUrl: broken.url } }),
  ],
  [
    "a run waits and nobody comes",
    "runs.waiting",
    "warning",
    /1 run has waited for a worker.*there is none/,
    /Start workers/,
    before(
      broken.url,
      `INSERT INTO spec_workflow_runs (id, request, request_hash, repository, git_remote, branch, agent, pipeline, due_at)
        VALUES (gen_random_uuid(), '{}', 'hash', 'acme/shop', 'https://github.com/acme/shop.git', 'b', 'scripted', '{specify}',
          now() - interval '1 hour')`,
      "DELETE FROM spec_workflow_runs",
    ),
  ],
  [
    "the provider has asked for a rest",
    "model.cool-downs",
    "warning",
    /codex rests until 20\d\d-.*quota/,
    /several keys/,
    before(
      broken.url,
      "INSERT INTO spec_workflow_credentials VALUES ('codex', now() + interval '1 hour', 'quota')",
      "DELETE FROM spec_workflow_credentials",
    ),
  ],
  [
    "no broker answers",
    "broker.connection",
    "problem",
    /ECONNREFUSED/,
    /Start RabbitMQ.*AMQP_URL/,
    () => ({ config: { amqpUrl: changed(broker.url, { port: "1" }) } }),
  ],
  [
    "the broker refuses the password",
    "broker.connection",
    "problem",
    /refused the user or the password/,
    /AMQP_URL_FILE/,
    () => ({ config: { amqpUrl: changed(otherBroker.url, { password: "wrong" }) } }),
  ],
  [
    "the broker has no such virtual host",
    "broker.connection",
    "problem",
    /no such virtual host/,
    /virtual host in AMQP_URL/,
    () => ({ config: { amqpUrl: changed(otherBroker.url, { pathname: "/nowhere" }) } }),
  ],
  [
    "a queue has other arguments",
    "broker.topology",
    "problem",
    /inequivalent arg 'x-message-ttl' for queue '.*\.retry\.5s'/,
    /SPECKIT_AMQP_PREFIX/,
    async () => {
      const prefix = `${own}_other`;
      const channel = await consumer.createChannel();
      const name = namesOf(prefix).retry(5_000);
      const spec = topologyOf(prefix).queues.find((queue) => queue.name === name);
      const other = { ...spec?.arguments, "x-message-ttl": 5_001 };
      await channel.assertQueue(name, { durable: true, arguments: other });
      return {
        config: { amqpUrl: broker.url, amqpPrefix: prefix },
        undo: () => channel.deleteQueue(name),
      };
    },
  ],
  [
    "the broker's user may do nothing",
    "broker.rights",
    "problem",
    /may not declare doctor\.requests/,
    /rabbitmqctl set_permissions.*\^\(doctor\\\./,
    async () => {
      await declareTopology({ url: otherBroker.url, prefix: "doctor" });
      await otherBroker.control(["add_user", "weak", "weak"]);
      await otherBroker.control(["set_permissions", "weak", "^$", "^$", "^$"]);
      const weak = { username: "weak", password: "weak" };
      return { config: { amqpUrl: changed(otherBroker.url, weak), amqpPrefix: "doctor" } };
    },
  ],
  [
    "the broker is short of memory",
    "broker.alarms",
    "problem",
    /takes no messages: low on memory/,
    /memory or disk/,
    async () => {
      await declareTopology({ url: otherBroker.url, prefix: "doctor" });
      await otherBroker.control(["set_vm_memory_high_watermark", "0"]);
      // It looks at its memory every now and then.
      await eventually(
        "the broker is alarmed",
        () => otherBroker.control(["eval", "rabbit_alarm:get_alarms()."]),
        (told) => told.includes("memory"),
      );
      return {
        config: { amqpUrl: otherBroker.url, amqpPrefix: "doctor" },
        undo: () => otherBroker.control(["set_vm_memory_high_watermark", "0.4"]),
      };
    },
  ],
  [
    "wake-ups are held longer than the broker waits",
    "broker.acknowledgement-timeout",
    "warning",
    /held up to 75 min.*takes it back after 30 min/,
    /consumer_timeout.*SPECKIT_HOLD_MS/,
    () => ({ config: { amqpUrl: broker.url, settings: { holdMs: 3_600_000 } } }),
  ],
  [
    "nobody consumes",
    "broker.consumers",
    "warning",
    /nobody consumes .*\.requests/,
    /Start a worker/,
    async () => {
      await declareTopology({ url: otherBroker.url, prefix: "doctor" });
      return { config: { amqpUrl: otherBroker.url, amqpPrefix: "doctor" } };
    },
  ],
  [
    "messages were refused",
    "broker.dead-letters",
    "warning",
    /1 message waits/,
    /speckit dead list/,
    async () => {
      const channel = await consumer.createConfirmChannel();
      channel.sendToQueue(names.dead, Buffer.from("{}"));
      await channel.waitForConfirms();
      const { url: amqpUrl, prefix: amqpPrefix } = broker;
      return {
        config: { amqpUrl, amqpPrefix },
        undo: () => channel.purgeQueue(names.dead),
      };
    },
  ],
  [
    "no Docker engine answers",
    "docker.engine",
    "problem",
    /ENOENT/,
    /DOCKER_HOST/,
    () => ({
      config: { runtime: "docker", docker: { host: "unix:///nonexistent/docker.sock" } },
    }),
  ],
  [
    "the provider refuses the key",
    "codex.provider",
    "problem",
    /refuses the key \(401\)/,
    /key is valid/,
    async () => {
      const provider = createServer((_request, response) => {
        response.writeHead(401, { "content-type": "application/json" }).end("{}");
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => provider.once("listening", resolve));
      const { port } = provider.address() as AddressInfo;
      const baseUrl = `http://127.0.0.1:${port}/v1`;
      return {
        config: { codex: { apiKeys: ["not-a-key"], baseUrl } },
        undo: async () => {
          provider.closeAllConnections();
          provider.close();
        },
      };
    },
  ],
  [
    "the token may not push",
    "git.push",
    "problem",
    /acme\/shop/,
    /./,
    () => ({
      config: { ...atGitHub("may-read") },
    }),
  ],
  [
    "the token may not open pull requests",
    "github.pull-requests",
    "problem",
    /lacks one of: pull_requests=write/,
    /named scope/,
    () => ({
      config: { ...atGitHub("may-push") },
    }),
  ],
  [
    "a repository is not there",
    "git.push",
    "problem",
    /acme\/gone/,
    /./,
    () => ({
      config: { ...atGitHub("may-all"), repositories: [] },
      options: { environment, repositories: [`${gitHub.url}/acme/gone`] },
    }),
  ],
  [
    "others may read the ssh key",
    "git.ssh-files",
    "problem",
    /only its owner may read, got mode 0644/,
    /chmod 600/,
    async () => {
      const keyFile = join(folder.path, "id");
      await writeFile(keyFile, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
      await chmod(keyFile, 0o644);
      return { config: { ssh: { keyFile } } };
    },
  ],
  [
    "the known hosts are missing",
    "git.ssh-files",
    "problem",
    /known host keys/,
    /./,
    () => ({ config: { ssh: { knownHostsFile: "/nonexistent/known_hosts" } } }),
  ],
  [
    "the key that signs is none",
    "git.signing-key",
    "problem",
    /commit/,
    /./,
    async () => {
      const keyFile = join(folder.path, "signing");
      await writeFile(keyFile, "no key\n", { mode: 0o600 });
      return { config: { commitSigning: { kind: "ssh", keyFile } } };
    },
  ],
  [
    "the state folder takes no files",
    "state.folder",
    "problem",
    /\/proc takes no files/,
    /SPECKIT_HOME/,
    () => ({ config: { stateDir: "/proc" } }),
  ],
  [
    "the state folder cannot be made",
    "state.folder",
    "problem",
    /ca\.pem is no folder/,
    /SPECKIT_HOME/,
    () => ({ config: { stateDir: join(folder.path, "ca.pem", "speckit") } }),
  ],
  [
    "others may write to the state folder",
    "state.folder",
    "problem",
    /mode 0777/,
    /chmod 700/,
    async () => {
      const stateDir = join(folder.path, "open");
      await mkdir(stateDir);
      await chmod(stateDir, 0o777);
      return { config: { stateDir } };
    },
  ],
  [
    "a file of certificates is missing",
    "configuration.certificates",
    "problem",
    /NODE_EXTRA_CA_CERTS \(\/nonexistent\/ca\.pem\)/,
    /unset/,
    () => ({
      options: { environment: { ...environment, NODE_EXTRA_CA_CERTS: "/nonexistent/ca.pem" } },
    }),
  ],
  [
    "a proxy is no address",
    "configuration.proxies",
    "problem",
    /HTTPS_PROXY$/,
    /http:\/\/host:port/,
    () => ({ options: { environment: { PATH: process.env.PATH, HTTPS_PROXY: "proxy:3128" } } }),
  ],
];

describe("a broken deployment is told with what to do", () => {
  test.each(CASES)("%s: %s", async (_what, check, state, found, remedy, make) => {
    const { config, options, undo } = await make();
    try {
      const all = await look({ ...bare(), ...config }, options);
      const told = all.filter((one) => one.check === check && one.state === state);
      const seen = JSON.stringify(all.filter((one) => one.check === check));
      expect(told.length, seen).toBeGreaterThan(0);
      expect(told.map((one) => one.found).join("\n")).toMatch(found);
      expect(told[0]?.remedy).toMatch(remedy);
    } finally {
      await undo?.();
    }
  });
});
