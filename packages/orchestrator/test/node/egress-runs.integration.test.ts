import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { type MockModel, startMockModel } from "@speckit/mock-model";
import {
  eventually,
  selfSignedCertificate,
  type TempFolder,
  tempFolder,
  testDatabase,
  testEngine,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectDocker, dockerRuntime } from "../../src/adapters/docker/index.ts";
import { attemptTokenSigner, serveGateway } from "../../src/adapters/gateway/index.ts";
import { postgresGatewayStore } from "../../src/adapters/postgres/index.ts";
import { systemClock } from "../../src/adapters/system/index.ts";
import type { Dependencies } from "../../src/application/dependencies.ts";
import { parseEgressRule } from "../../src/domain/egress-rule.ts";
import { type OrchestratorConfig, openOrchestrator } from "../../src/node/index.ts";
import { makeSampleRemote } from "../../src/testing/sample/index.ts";
import { recordingLogger } from "../adapters/rabbitmq/recording-logger.ts";

const database = await testDatabase();
const engine = testEngine();
const docker = connectDocker({ host: engine.dockerHost });
const KEY = "sk-of-this-test";
const HOST = "allowed.example.org";
const undo = new AsyncDisposableStack();

let folder: TempFolder;
let model: MockModel;
let remote: string;
let allow: string;
let volume: string;
let deploymentId: string;

/** A real gateway in this process; its socket's folder is a volume of the engine. */
beforeAll(async () => {
  // A short name: with a run's id and its phase behind it a socket's path has 107 bytes at most.
  folder = undo.use(await tempFolder("out"));
  model = undo.use(await startMockModel({ apiKey: KEY }));
  remote = await makeSampleRemote(folder.path);
  const target = createTlsServer(serverOptions(), (socket) => {
    socket.on("error", () => {});
    socket.end("from outside");
  });
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  undo.defer(() => void target.close());
  allow = `${HOST}:${(target.address() as AddressInfo).port}`;
  await using opened = await openOrchestrator(config({}));
  deploymentId = await opened.orchestrator.deploymentId();
  const socketFolder = join(folder.path, "gateway");
  await mkdir(socketFolder, { mode: 0o755 });
  volume = `speckit-${deploymentId.slice(0, 8)}-bound`;
  const labels = { "speckit.deployment": deploymentId };
  await docker.createVolume({
    Name: volume,
    Labels: labels,
    DriverOpts: { type: "none", o: "bind", device: socketFolder },
  });
  undo.defer(removeOurs);
  const { logger } = recordingLogger();
  const store = undo.use(postgresGatewayStore({ connectionString: database.url }));
  undo.use(
    await serveGateway({
      upstreams: {
        openai: { baseUrl: model.baseUrl("speckit"), apiKeys: [KEY], credential: "codex" },
      },
      credentials: store.credentials,
      authority: store.authority,
      egress: {
        rules: [parseEgressRule(allow)!],
        journal: store.egress,
        resolve: async () => ["127.0.0.1"],
        allowedRanges: ["127.0.0.1/32"],
      },
      deploymentId,
      socketPath: join(socketFolder, "gateway.sock"),
      clock: systemClock,
      logger,
    }),
  );
});
afterAll(() => undo.disposeAsync());

function serverOptions() {
  const { key, certificate } = selfSignedCertificate();
  return { key, cert: certificate };
}

async function removeOurs(): Promise<void> {
  const filters = { label: [`speckit.deployment=${deploymentId}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes) {
    await docker.getVolume(Name).remove();
  }
}

function config(more: Partial<OrchestratorConfig>): OrchestratorConfig {
  return {
    databaseUrl: database.url,
    stateDir: join(folder.path, "state"),
    allowPaths: true,
    logLevel: "error",
    ...more,
  };
}

/** Carries one run to its end. */
async function carry(
  agent: string,
  more: Partial<OrchestratorConfig> = {},
  compose?: (dependencies: Dependencies) => Dependencies,
) {
  const host = engine.dockerHost;
  await using opened = await openOrchestrator(
    config({
      runtime: "docker",
      docker: { host, jobImage: engine.image("job"), gatewayVolume: volume, egressAllow: [allow] },
      codex: { model: "gpt-5.5" },
      ...more,
    }),
    compose === undefined ? {} : { compose },
  );
  const { orchestrator } = opened;
  const { run } = await orchestrator.submit({
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: "Add OAuth login",
    agent: { backend: agent },
    phases: ["specify"],
    dryRun: true,
  });
  const worker = await orchestrator.work({ slots: 1, hostname: "test" });
  await eventually(
    "the run is over",
    () => orchestrator.find(run.runId),
    (found) => found !== undefined && found.cleanedAt !== null,
    { withinMs: 150_000, everyMs: 250 },
  );
  await worker.drain();
  const events = await orchestrator.events(run.runId);
  return { result: await orchestrator.result(run.runId), events };
}

test("a run whose containers have a network fails before a model is called; the same run in closed ones calls it", async () => {
  const signer = attemptTokenSigner({ deploymentId, now: systemClock.now });
  const open = await carry("codex", {}, (deps) => ({
    ...deps,
    runtime: dockerRuntime({
      deploymentId,
      docker,
      image: engine.image("job"),
      gatewayVolume: volume,
      signStartToken: signer.signStart,
      tokenKey: signer.tokenKey,
      networkMode: "bridge",
      logger: deps.logger,
    }),
  }));
  expect(open.result).toMatchObject({
    status: "failed",
    failure: { code: "EGRESS_OPEN", message: expect.stringContaining("interface eth0") },
  });
  expect(open.result.phases.filter(({ name }) => name === "specify")).toHaveLength(1);
  expect(model.requests()).toEqual([]);

  const closed = await carry("codex");
  expect(closed.result).toMatchObject({ status: "succeeded" });
  expect(model.requests().length).toBeGreaterThan(0);
}, 320_000);

test("what an agent reaches by its proxy, and what it is refused, is an event and an artifact of its attempt", async () => {
  const { result, events } = await carry("command", {
    agentCommand: ["bash", "-c", AGENT.replaceAll("TARGET", allow)],
  });
  expect(result).toMatchObject({ status: "succeeded" });
  const told = events.find(({ type }) => type === "phase.egress");
  expect(told).toMatchObject({
    phase: "specify",
    data: {
      artifact: "specify-1/egress.json",
      passed: 1,
      denied: 2,
      denials: [
        { host: "169.254.169.254:80", port: 0, reason: "malformed_target", requests: 1 },
        { host: "forbidden.example.org", port: 443, reason: "not_allowed", requests: 1 },
      ],
    },
  });
  const artifacts = join(folder.path, "state", "artifacts", result.runId, "specify-1");
  const kept = JSON.parse(await readFile(join(artifacts, "egress.json"), "utf8"));
  expect(kept).toMatchObject({ allowed: [allow], passed: [{ host: HOST, requests: 1, open: 0 }] });
  expect(kept.passed[0].bytesDown).toBeGreaterThan("from outside".length);
  expect(await readFile(join(artifacts, "stdout.log"), "utf8")).toContain(
    'tunnels: 200 403 403, heard: "from outside"',
  );
}, 200_000);

/** Asks its proxy for three targets, speaks TLS to the one that is opened, and then does its work. */
const AGENT = `node -e '
const { request } = require("node:http");
const { connect } = require("node:tls");
const proxy = new URL(process.env.HTTPS_PROXY);
const headers = {
  "proxy-authorization": "Basic " + Buffer.from(proxy.username + ":" + proxy.password).toString("base64"),
};
const open = (path) => new Promise((resolve, reject) => {
  const asked = request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path, headers });
  asked.on("connect", ({ statusCode }, socket) => resolve({ statusCode, socket }));
  asked.on("response", ({ statusCode }) => resolve({ statusCode }));
  asked.on("error", reject);
  asked.end();
});
(async () => {
  const answers = [];
  for (const path of ["TARGET", "forbidden.example.org:443", "169.254.169.254:80"]) {
    answers.push(await open(path));
  }
  const socket = answers[0].socket;
  const tls = connect({ socket, servername: "TARGET".split(":")[0], rejectUnauthorized: false });
  let heard = "";
  for await (const piece of tls) heard += piece;
  console.log("tunnels: " + answers.map((one) => one.statusCode).join(" ") + ", heard: " + JSON.stringify(heard));
})();
' && exec node /usr/local/lib/speckit-agents/scripted.mjs`;
