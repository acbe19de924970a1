import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "@speckit/private-broker";
import { execa } from "execa";
import type { OpenFleet } from "./fleet.ts";

const DOCKER = fileURLToPath(new URL("../../../docker/", import.meta.url));
const SAMPLE = "/var/lib/speckit/sample";
const MAKE_SAMPLE = `
  const { makeSampleRemote } = await import("/app/packages/orchestrator/dist/testing/sample/index.js");
  await makeSampleRemote("${SAMPLE}");`;
const READY_WITHIN_MS = 180_000;
const STAND_INS = { RABBITMQ_IMAGE: "rabbitmq", POSTGRES_IMAGE: "postgres" };

/**
 * Two worker containers, broker, database and gateway of `docker/compose.yaml`, on the engine that
 * DOCKER_HOST says, as a deployment of its own: its containers and volumes are removed at the end.
 */
export const openComposeFleet: OpenFleet = async (folder, undo, say) => {
  const socket = socketOf(process.env.DOCKER_HOST);
  const project = `speckit-fleet-${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;
  const amqpAddress = `127.0.0.1:${await freePort()}`;
  const env = {
    ...(await standIns()),
    DOCKER_SOCKET: socket,
    SPECKIT_VOLUME_PREFIX: project,
    SPECKIT_AMQP_ADDRESS: amqpAddress,
    SPECKIT_MANAGEMENT_ADDRESS: `127.0.0.1:${await freePort()}`,
  };
  await checkImages({ ...process.env, ...env });
  const { stdout: envFile } = await execa(join(DOCKER, "prepare-compose.sh"), [folder], { env });
  await writeFile(join(folder, "settings.env"), `SPECKIT_REPOSITORIES=file://${SAMPLE}/*\n`);

  const [command, ...first] = await composeCommand();
  const files = ["-p", project, "-f", join(DOCKER, "compose.yaml"), "--env-file", envFile.trim()];
  const compose = async (...args: readonly string[]) =>
    (await execa(command, [...first, ...files, ...args], { env })).stdout;
  undo.defer(async () => void (await compose("down", "--volumes", "--remove-orphans")));
  await compose("up", "-d", "--scale", "worker=2");
  const workers = (await compose("ps", "-q", "worker")).split("\n").filter(Boolean);
  await untilHealthy(workers);
  say(
    `fleet: ${project} of docker/compose.yaml · agent scripted (a stand-in, no model) · ${workers.length} worker containers, agents in containers of their own`,
  );
  const inWorker = async (...args: readonly string[]) =>
    (await execa("docker", ["exec", workers[0] ?? "", ...args])).stdout;
  await inWorker("node", "--input-type=module", "-e", MAKE_SAMPLE);
  const password = await readFile(join(folder, "secrets/rabbitmq_password"), "utf8");
  return {
    amqpUrl: `amqp://speckit:${password}@${amqpAddress}`,
    prefix: "speckit",
    repository: `file://${SAMPLE}/remote.git`,
    logOf: (branch) => inWorker("git", "-C", `${SAMPLE}/remote.git`, "log", "--oneline", branch),
    async drain() {
      await compose("stop", "worker");
      const codes = await inspect(workers, "{{.State.ExitCode}}");
      return codes.map(Number);
    },
  };
};

/** Workers get the engine's socket as a file. */
function socketOf(host = "unix:///var/run/docker.sock"): string {
  if (!host.startsWith("unix://")) {
    throw new Error(
      `DOCKER_HOST is ${host}, expected a Unix socket: the workers' containers get it as a file`,
    );
  }
  return host.slice("unix://".length);
}

/** Stand-ins that were built on the engine are taken where no other images are named. */
async function standIns(): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(
    Object.entries(STAND_INS).map(async ([variable, name]) => {
      const image = `speckit-stand-in-${name}:${await version()}`;
      return process.env[variable] === undefined && (await isThere(image))
        ? [[variable, image] as const]
        : [];
    }),
  );
  return Object.fromEntries(found.flat());
}

async function checkImages(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [variable, name] of [
    ["SPECKIT_WORKER_IMAGE", "worker"],
    ["SPECKIT_JOB_IMAGE", "job"],
  ] as const) {
    const image = env[variable] || `speckit-${name}:${await version()}`;
    if (!(await isThere(image))) {
      throw new Error(
        `The engine has no image ${image}. Build it with \`npm run images\`, and with \`npm run images -- rabbitmq postgres\` the other two where nothing can be pulled.`,
      );
    }
  }
}

async function version(): Promise<string> {
  const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return JSON.parse(manifest).version;
}

async function isThere(image: string): Promise<boolean> {
  return (await execa("docker", ["image", "inspect", image], { reject: false })).exitCode === 0;
}

/** The current form where it is there, else the one before it. */
async function composeCommand(): Promise<readonly [string, ...string[]]> {
  const current = await execa("docker", ["compose", "version"], { reject: false });
  return current.exitCode === 0 ? ["docker", "compose"] : ["docker-compose"];
}

async function untilHealthy(containers: readonly string[]): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const states = await inspect(containers, "{{.State.Health.Status}}");
    if (states.length > 0 && states.every((state) => state === "healthy")) {
      return;
    }
    if (performance.now() > deadline) {
      throw new Error(`Workers are ${states.join(", ")} after ${READY_WITHIN_MS / 1_000} s`);
    }
    await sleep(500);
  }
}

async function inspect(containers: readonly string[], format: string): Promise<readonly string[]> {
  const { stdout } = await execa("docker", ["inspect", "--format", format, ...containers]);
  return stdout.split("\n");
}
