import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startMockModel } from "@speckit/mock-model";
import { eventually, tempFolder, testDatabase, testEngine } from "@speckit/testkit";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  connectDocker,
  dockerRuntime,
  type GatewayContainerOptions,
  gatewayContainer,
} from "../../../src/adapters/docker/index.ts";
import { labelsOf, namePrefix } from "../../../src/adapters/docker/job-objects.ts";
import { attemptTokenSigner } from "../../../src/adapters/gateway/index.ts";
import { attemptFolder } from "../../../src/domain/attempt-folder.ts";
import type { JobName, JobSpec } from "../../../src/ports/job-runtime.ts";
import { gatewayRole } from "../postgres/gateway-role.ts";
import { placedAttempts } from "../postgres/placed-attempts.ts";
import { sqlClient } from "../postgres/sql-client.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";
import { runInDocker } from "./docker-bench.ts";

const database = await testDatabase();
const engine = testEngine();
const docker = connectDocker({ host: engine.dockerHost });
const image = engine.image("worker");
const KEY = "sk-canary-container";

const sql = await sqlClient(database.url);
const role = await gatewayRole(sql, database.url);
const [deployment] = await sql.query("SELECT id FROM spec_workflow_deployment");
afterAll(async () => {
  await role[Symbol.asyncDispose]();
  await sql[Symbol.asyncDispose]();
});

/** A deployment of its own on the engine: only its name there, the database is the one of the file. */
let deploymentId: string;
beforeEach(() => {
  deploymentId = randomUUID();
});
afterEach(async () => {
  const filters = { label: [`speckit.deployment=${deploymentId}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes) {
    await docker.getVolume(Name).remove();
  }
});

const name = () => `${namePrefix(deploymentId)}-gateway`;

function gateway(more: Partial<GatewayContainerOptions> = {}, config: object = {}) {
  return gatewayContainer({
    docker,
    deploymentId,
    image,
    config: () =>
      JSON.stringify({
        databaseUrl: role.url,
        upstreams: { openai: { apiKeys: [KEY] } },
        deploymentId: String(deployment?.id),
        ...config,
      }),
    logger: recordingLogger().logger,
    ...more,
  });
}

const inspect = () => docker.getContainer(name()).inspect();

/** Runs a script as a job would: no network, the gateway's volume read-only. */
async function inJob(script: string): Promise<string> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [],
    Cmd: ["node", "-e", script],
    User: "10001:10001",
    Labels: { ...labelsOf(deploymentId, "ask") },
    Tty: true,
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      Mounts: [{ Type: "volume", Source: name(), Target: "/run/speckit-gateway", ReadOnly: true }],
    },
  });
  try {
    await container.start();
    await container.wait();
    return (await container.logs({ stdout: true, stderr: true })).toString().trim();
  } finally {
    await container.remove({ force: true });
  }
}

const OWN_SOCKET = { socketPath: "/run/speckit-gateway/gateway.sock" };

const CALL = (path: string, token: string, body: string, at: object = OWN_SOCKET) => `
  const request = require("node:http").request({
    ...${JSON.stringify(at)}, path: ${JSON.stringify(path)},
    method: ${JSON.stringify(body === "" ? "GET" : "POST")},
    headers: { authorization: "Bearer ${token}" },
  }, (answer) => {
    let text = "";
    answer.on("data", (piece) => { text += piece; });
    answer.on("end", () => console.log(answer.statusCode + " " + text));
  });
  request.on("error", (error) => console.log(error.code));
  request.end(${JSON.stringify(body)});`;

describe("the gateway's container", () => {
  test("leads a job without a network to its model, and has its secrets nowhere that can be looked at", async () => {
    await using model = await startMockModel({ apiKey: KEY });
    await gateway(
      {},
      { upstreams: { openai: { apiKeys: [KEY], baseUrl: model.baseUrl("ok") } } },
    ).ensure();
    const signer = attemptTokenSigner({
      deploymentId: String(deployment?.id),
      now: () => new Date(),
    });
    const attempt = await placedAttempts(sql).place(signer.tokenKey);
    const start = await signer.signStart(attempt, 60_000);
    const token = await signer.signModel({ ...attempt, limits: {}, expiresInMs: 60_000 });
    expect(await inJob(CALL("/speckit/v1/start", start, " "))).toBe("204");
    expect(await inJob(CALL("/speckit/v1/start", start, " "))).toBe("409");
    const body = JSON.stringify({ model: "gpt-5.5", stream: true, input: [] });
    expect(await inJob(CALL("/openai/v1/responses", token, body))).toContain("response.completed");
    expect(model.requests()).toMatchObject([{ status: 200 }]);
    expect(
      await sql.query("SELECT call->>'outcome' AS outcome FROM spec_workflow_model_calls"),
    ).toEqual([{ outcome: "completed" }]);

    const facts = await inspect();
    expect(JSON.stringify(facts)).not.toMatch(/sk-canary|postgres:/);
    const said = (
      await docker.getContainer(name()).logs({ stdout: true, stderr: true })
    ).toString();
    expect(said).toContain('"event":"ready"');
    expect(said).not.toContain(KEY);
    expect(facts.Config.User).toBe("10001:10001");
    expect(facts.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      NetworkMode: "host",
      PidsLimit: 128,
    });
  });

  test("takes an attempt's token through that attempt's socket, and another one's that is live not", async () => {
    await using model = await startMockModel({ apiKey: KEY });
    await gateway(
      {},
      { upstreams: { openai: { apiKeys: [KEY], baseUrl: model.baseUrl("ok") } } },
    ).ensure();
    const signer = attemptTokenSigner({
      deploymentId: String(deployment?.id),
      now: () => new Date(),
    });
    const runtime = dockerRuntime({
      docker,
      deploymentId,
      image: engine.image("job"),
      signStartToken: signer.signStart,
      tokenKey: signer.tokenKey,
      limits: { freeBytesFloor: 1 },
      logger: recordingLogger().logger,
    });
    const attempts = placedAttempts(sql);
    const [own, other] = [
      await attempts.place(signer.tokenKey),
      await attempts.place(signer.tokenKey),
    ];
    const [ours, stolen] = await Promise.all(
      [own, other].map((name) => signer.signModel({ ...name, limits: {}, expiresInMs: 60_000 })),
    );
    await using folder = await tempFolder("doors");
    const body = JSON.stringify({ model: "gpt-5.5", stream: true, input: [] });
    const specOf = async (name: JobName, ...tokens: readonly string[]): Promise<JobSpec> => {
      const at = join(folder.path, name.runId);
      const folders = { workspace: join(at, "workspace"), home: join(at, "home") };
      await mkdir(folders.workspace, { recursive: true });
      await mkdir(folders.home);
      const calls = tokens.map((token) =>
        CALL("/openai/v1/responses", token, body, { host: "127.0.0.1", port: 8787 }),
      );
      const script = calls.map((call) => `{${call}}`).join("\n");
      return { ...name, ...folders, argv: ["node", "-e", script], env: {}, files: [], stdin: "" };
    };
    // The other one is being made ready: its folder is there, and its token lives.
    await runtime.prepare(await specOf(other), new AbortController().signal);
    const { exit, stdout } = await runInDocker(runtime, await specOf(own, ours!, stolen!));
    expect(exit).toMatchObject({ exitCode: 0 });
    expect(String(stdout)).toContain("response.completed");
    expect(String(stdout)).toMatch(/^401 .*invalid_token/m);
    expect(model.requests()).toMatchObject([{ status: 200 }]);
    const logged = (
      await docker.getContainer(name()).logs({ stdout: true, stderr: true })
    ).toString();
    expect(logged).toMatch(new RegExp(`other_attempt.*${own.runId}`));
    expect(logged).not.toContain(stolen);

    const socketPath = `/run/speckit-gateway/jobs/${attemptFolder(other)}/gateway.sock`;
    expect(await inJob(CALL("/openai/v1/responses", stolen!, body, { socketPath }))).toContain(
      "response.completed",
    );
  });

  test("of a release without a socket for each attempt is told of, and no job is made", async () => {
    const runtime = dockerRuntime({
      docker,
      deploymentId,
      image: engine.image("job"),
      signStartToken: async () => "",
      tokenKey: "",
      logger: recordingLogger().logger,
    });
    const job = { runId: randomUUID(), phase: "specify", attempt: 1 };
    const spec = {
      ...{ ...job, workspace: "/nowhere", home: "/nowhere", files: [], stdin: "", env: {} },
      argv: ["true"] as const,
    };
    await expect(runtime.prepare(spec, new AbortController().signal)).rejects.toMatchObject({
      code: "GATEWAY_TOO_OLD",
    });
    expect(await runtime.engine.list()).toEqual([]);
  });

  test("is one, also when two workers look at once and again and again", async () => {
    const [one, other] = [gateway(), gateway()];
    await Promise.all([one.ensure(), other.ensure(), one.ensure()]);
    const { Id } = await inspect();
    await Promise.all([one.ensure(), other.ensure(), gateway().ensure()]);
    expect((await inspect()).Id).toBe(Id);
    const all = await docker.listContainers({
      all: true,
      filters: { label: [`speckit.deployment=${deploymentId}`] },
    });
    expect(all.map(({ Names }) => Names)).toEqual([[`/${name()}`]]);
  });

  test("that was killed is made anew, on the same volume", async () => {
    const own = gateway();
    await own.ensure();
    const before = await inspect();
    await docker.getContainer(name()).kill();
    await eventually("it has ended", async () => !(await inspect()).State.Running);
    await own.ensure();
    expect((await inspect()).Id).not.toBe(before.Id);
    expect(await inJob(CALL("/healthz", "", ""))).toContain("200");
  });

  test("names the engine by its volume, whoever made that first", async () => {
    await gateway().ensure();
    const { Labels } = await docker.getVolume(name()).inspect();
    expect(Labels?.["speckit.engine"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("that refuses its configuration says why, and is not left behind", async () => {
    await expect(
      gateway({}, { upstreams: { openai: { apiKeys: ["no key"] } } }).ensure(),
    ).rejects.toMatchObject({
      code: "CONFIGURATION_INVALID",
      message: expect.stringContaining(
        "upstreams.openai.apiKeys.0: expected a key without white space",
      ),
    });
    await expect(inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test("whose image has no such program, or is not there, is told by its code", async () => {
    await expect(gateway({ argv: ["no-such-program"] }).ensure()).rejects.toMatchObject({
      code: "IMAGE_UNUSABLE",
    });
    await expect(gateway({ image: "speckit-no-such-image:1" }).ensure()).rejects.toMatchObject({
      code: "IMAGE_MISSING",
    });
    await expect(inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test("is removed when asked, its volume is not", async () => {
    const own = gateway();
    await own.ensure();
    await own.remove();
    await own.remove();
    await expect(inspect()).rejects.toMatchObject({ statusCode: 404 });
    expect((await docker.getVolume(name()).inspect()).Name).toBe(name());
  });
});
