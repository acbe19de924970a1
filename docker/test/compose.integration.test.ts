import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type MockModel, startMockModel } from "@speckit/mock-model";
import { eventually, type TempFolder, tempFolder, testEngine } from "@speckit/testkit";
import amqp from "amqplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const file = fileURLToPath(new URL("../compose.yaml", import.meta.url));
const prepare = fileURLToPath(new URL("../prepare-compose.sh", import.meta.url));
const engine = testEngine();
const MODEL_KEY = "key-of-the-model";
const run = promisify(execFile);
const BRIDGE = "{{(index .IPAM.Config 0).Gateway}}";

/** Both forms that are on this machine; `npm test` sees to it that one is. */
const forms = [["docker-compose"], ["docker", "compose"]].filter(
  ([command = "", ...args]) =>
    spawnSync(command, [...args, "version"], { stdio: "ignore" }).status === 0,
);

describe.each(forms.map((form) => ({ name: form.join(" "), form })))("by $name", ({ form }) => {
  const project = `speckit-test-${randomBytes(4).toString("hex")}`;
  let folder: TempFolder;
  let env: NodeJS.ProcessEnv;
  let model: MockModel;
  const compose = async (...args: string[]): Promise<string> => {
    const [command = "", ...first] = form.filter(
      (part): part is string => typeof part === "string",
    );
    const given = ["-p", project, "-f", file, "--env-file", join(folder.path, "env"), ...args];
    const { stdout, stderr } = await run(command, [...first, ...given], { env });
    return `${stdout}\n${stderr}`;
  };
  const inContainer = async (service: string, script: string): Promise<string> =>
    engine.docker(["exec", (await idOf(service)) ?? "", "sh", "-c", script]);
  const idOf = async (service: string): Promise<string | undefined> => {
    const filters = [
      ...["--filter", `label=com.docker.compose.project=${project}`],
      ...["--filter", `label=com.docker.compose.service=${service}`],
    ];
    return (await engine.docker(["ps", "-aq", ...filters])).split("\n")[0];
  };

  beforeAll(async () => {
    folder = await tempFolder("compose");
    env = {
      ...process.env,
      DOCKER_HOST: engine.dockerHost,
      DOCKER_SOCKET: engine.dockerHost.replace("unix://", ""),
      RABBITMQ_IMAGE: engine.image("rabbitmq"),
      POSTGRES_IMAGE: engine.image("postgres"),
      SPECKIT_WORKER_IMAGE: engine.image("worker"),
      SPECKIT_JOB_IMAGE: engine.image("job"),
      SPECKIT_VOLUME_PREFIX: project,
      SPECKIT_AMQP_ADDRESS: `127.0.0.1:${await freePort()}`,
      SPECKIT_MANAGEMENT_ADDRESS: `127.0.0.1:${await freePort()}`,
    };
    await run(prepare, [folder.path], { env });
    await writeFile(join(folder.path, "secrets/codex_api_key"), MODEL_KEY);
    // The gateway is a container: it reaches this machine by the address of the engine's bridge.
    const host = (await engine.docker(["network", "inspect", "bridge", "--format", BRIDGE])).trim();
    model = await startMockModel({ apiKey: MODEL_KEY, host });
    const settings = {
      SPECKIT_REPOSITORIES: "file:///var/lib/speckit/*",
      SPECKIT_CODEX_BASE_URL: model.baseUrl("speckit"),
      SPECKIT_CODEX_MODEL: "gpt-5.5",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(folder.path, "settings.env"), lines.join(""));
    await compose("up", "-d");
    for (const service of ["rabbitmq", "gateway", "worker"]) {
      const id = (await idOf(service)) ?? "";
      const ask = ["inspect", "--format", "{{.State.Health.Status}}", id];
      const isHealthy = (status: string) => status.trim() === "healthy";
      const options = { withinMs: 120_000, everyMs: 500 };
      await eventually(`${service} is healthy`, () => engine.docker(ask), isHealthy, options);
    }
  }, 300_000);
  afterAll(async () => {
    await compose("down", "-v", "--remove-orphans");
    await model[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test("the schema is there, and the gateway answers its health check", async () => {
    await inContainer("gateway", "speckit-healthy /run/speckit-gateway/gateway.sock");
    const scrape =
      'fetch("http://gateway:8081/readyz").then((answer) => console.log(answer.status))';
    expect((await inContainer("worker", `node -e '${scrape}'`)).trim()).toBe("200");
    const applied = await inContainer(
      "postgres",
      "psql -U speckit -d speckit -Atc 'SELECT count(*) FROM spec_workflow_migrations'",
    );
    expect(Number(applied)).toBeGreaterThan(5);
  });

  test("the gateway's login reads no table", async () => {
    const url = await readFile(join(folder.path, "secrets/gateway_database_url"), "utf8");
    const script = `psql '${url}' -Atc 'SELECT count(*) FROM spec_workflow_runs' 2>&1 || true`;
    expect(await inContainer("postgres", script)).toContain("permission denied");
  });

  test("the broker takes the generated user, and its management page answers", async () => {
    const password = await readFile(join(folder.path, "secrets/rabbitmq_password"), "utf8");
    const answer = await fetch(`http://${env.SPECKIT_MANAGEMENT_ADDRESS}/api/whoami`, {
      headers: { authorization: `Basic ${Buffer.from(`speckit:${password}`).toString("base64")}` },
    });
    expect(await answer.json()).toMatchObject({ name: "speckit" });
  });

  test("no secret is in an environment or in what the engine tells of a container", async () => {
    const ids = (
      await engine.docker(["ps", "-aq", "--filter", `label=com.docker.compose.project=${project}`])
    ).split("\n");
    const told = await engine.docker(["inspect", ...ids.filter((id) => id !== "")]);
    for (const name of [
      "postgres_password",
      "gateway_password",
      "rabbitmq_password",
      "codex_api_key",
    ]) {
      expect(told).not.toContain(await readFile(join(folder.path, "secrets", name), "utf8"));
    }
  });

  test("a request over AMQP is carried out by Codex, ends in a pushed branch, and its containers are gone", async () => {
    const sample = "/app/packages/orchestrator/dist/testing/sample/index.js";
    const make = `import("${sample}").then((sample) => sample.makeSampleRemote("/var/lib/speckit/sample"))`;
    await inContainer("worker", `node -e '${make}'`);
    const password = await readFile(join(folder.path, "secrets/rabbitmq_password"), "utf8");
    const url = `amqp://speckit:${password}@${env.SPECKIT_AMQP_ADDRESS}`;
    const connection = await amqp.connect(url, { noDelay: true });
    const told: string[] = [];
    try {
      const channel = await connection.createConfirmChannel();
      const { queue } = await channel.assertQueue("", { exclusive: true });
      await channel.bindQueue(queue, "speckit.events", "run.*");
      const hear = (message: amqp.ConsumeMessage | null) => {
        told.push(message?.fields.routingKey ?? "");
      };
      await channel.consume(queue, hear, { noAck: true });
      const repository = "file:///var/lib/speckit/sample/remote.git";
      const request = { schemaVersion: 1, repository, specifyText: "Add OAuth login" };
      const content = Buffer.from(JSON.stringify(request));
      channel.publish("speckit.requests", "run.request", content, {
        persistent: true,
        mandatory: true,
      });
      await channel.waitForConfirms();
      const ended = (keys: string[]) => keys.some((key) => /succeeded|failed|rejected/.test(key));
      await eventually("the run has ended", () => told, ended, { withinMs: 240_000 });
    } finally {
      await connection.close();
    }
    expect(told).toContain("run.succeeded");
    const log = "git -C /var/lib/speckit/sample/remote.git log --format=%s --all";
    expect(await inContainer("worker", log)).toMatch(/^docs: tasks /);
    const keys = model.requests("speckit").map(({ headers }) => headers.authorization);
    expect(new Set(keys)).toEqual(new Set([`Bearer ${MODEL_KEY}`]));
    expect(model.complaints()).toEqual([]);
    const jobs = ["--filter", "label=speckit.role=job", "--filter", "name=speckit-"];
    const gone = (ids: string) => ids === "";
    await eventually("no job is left", () => engine.docker(["ps", "-aq", ...jobs]), gone);
    const volumes = ["volume", "ls", "-q", ...jobs.slice(0, 2)];
    await eventually("nor a job's volume", () => engine.docker(volumes), gone);
  }, 300_000);

  test("down leaves nothing but the named volumes", async () => {
    await compose("down");
    const mine = `label=com.docker.compose.project=${project}`;
    expect(await engine.docker(["ps", "-aq", "--filter", mine])).toBe("");
    expect(await engine.docker(["network", "ls", "-q", "--filter", mine])).toBe("");
    const volumes = await engine.docker(["volume", "ls", "-q", "--filter", mine]);
    expect(volumes.trim().split("\n").sort()).toEqual(
      ["gateway", "postgres", "rabbitmq", "workspaces"].map((name) => `${project}_${name}`),
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
