import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, testEngine } from "@speckit/testkit";
import type Docker from "dockerode";
import {
  type ContainerLimits,
  type ContainerTimes,
  connectDocker,
  dockerRuntime,
} from "../../../src/adapters/docker/index.ts";
import { labelsOf, namePrefix } from "../../../src/adapters/docker/job-objects.ts";
import type {
  JobEngine,
  JobExit,
  JobLimits,
  JobRuntime,
  JobSignals,
  JobSpec,
} from "../../../src/ports/job-runtime.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";

export type DockerRuntime = JobRuntime & { readonly engine: JobEngine };

const NEVER = new AbortController().signal;

/** A deployment of its own on the engine of the tests, with a gateway that knows nothing but tickets. */
export interface DockerBench extends AsyncDisposable {
  readonly docker: Docker;
  readonly deploymentId: string;
  readonly image: string;
  /** @param token what its jobs say to the gateway: `refuse` gets no ticket, `fence` is soon not live */
  readonly runtime: (more?: {
    readonly limits?: Partial<ContainerLimits>;
    readonly times?: Partial<ContainerTimes>;
    readonly token?: string;
    readonly docker?: Docker;
    readonly image?: string;
    readonly networkMode?: string;
    readonly deniedTargets?: readonly string[];
  }) => DockerRuntime;
  /** A job of a shell script in folders of its own. */
  readonly shell: (script: string, more?: Partial<JobSpec>) => Promise<JobSpec>;
  /** Start tickets that were taken so far. */
  readonly ticketsTaken: () => Promise<number>;
  /** Names of what this deployment has on the engine, its gateway left out. */
  readonly leftovers: () => Promise<readonly string[]>;
}

/** Answers as the tokens say, and says whose socket it was; and on stdout when a ticket is taken. */
const GATEWAY = `
const { createServer } = require("node:http");
const { rmSync, chmodSync, mkdirSync, readdirSync, writeFileSync, watch } = require("node:fs");
const listen = (path, owner) => {
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    const token = (request.headers.authorization ?? "").slice("Bearer ".length);
    const isStart = request.url === "/speckit/v1/start";
    const code = token === "refuse" ? 409 : token === "fence" && !isStart ? 410 : 204;
    if (isStart && code === 204) console.log("ticket");
    response.writeHead(code, { owner }).end();
  });
  return server.listen(path, () => chmodSync(path, 0o666));
};
const jobs = "/run/speckit-gateway/jobs";
const seen = new Set(["served.json"]);
const look = () => {
  for (const name of readdirSync(jobs).filter((name) => !seen.has(name))) {
    seen.add(name);
    listen(jobs + "/" + name + "/gateway.sock", name);
  }
};
mkdirSync(jobs, { recursive: true });
writeFileSync(jobs + "/served.json", JSON.stringify({ v: 1, uid: 0 }));
watch(jobs, look);
look();
listen("/run/speckit-gateway/gateway.sock", "nobody").once("listening", () => console.log("ready"));
`;

/** @param docker default: the engine of the tests */
export async function openDockerBench(
  docker: Docker = connectDocker({ host: testEngine().dockerHost }),
): Promise<DockerBench> {
  const deploymentId = randomUUID();
  const image = testEngine().image("job");
  const folder = await mkdtemp(join(tmpdir(), "speckit-docker-"));
  const { logger } = recordingLogger();
  const open: DockerBench["runtime"] = ({ token = "ok", ...more } = {}) =>
    dockerRuntime({
      deploymentId,
      docker,
      image,
      signStartToken: async () => token,
      tokenKey: "a key",
      logger,
      ...more,
      limits: { freeBytesFloor: 1, ...more.limits },
      times: { termGraceMs: 1_000, lookEveryMs: 500, livenessMs: 1_000, ...more.times },
    });
  const gatewayName = `${namePrefix(deploymentId)}-gateway`;
  await open().engine.id();
  const gateway = await docker.createContainer({
    name: gatewayName,
    Image: image,
    Entrypoint: [],
    Cmd: ["node", "-e", GATEWAY],
    // A new volume belongs to root.
    User: "0:0",
    Labels: { ...labelsOf(deploymentId, "gateway") },
    HostConfig: {
      NetworkMode: "none",
      Init: true,
      Binds: [`${gatewayName}:/run/speckit-gateway`],
    },
  });
  await gateway.start();
  const logOf = async () => String(await gateway.logs({ stdout: true, stderr: true }));
  await eventually("the gateway serves", logOf, (said) => said.includes("ready"));

  const filters = { label: [`speckit.deployment=${deploymentId}`] };
  let jobs = 0;
  return {
    docker,
    deploymentId,
    image,
    runtime: open,
    async shell(script, more = {}) {
      const at = join(folder, String(++jobs));
      const folders = { workspace: join(at, "workspace"), home: join(at, "home") };
      await mkdir(folders.workspace, { recursive: true });
      await mkdir(folders.home);
      return {
        runId: randomUUID(),
        phase: "specify",
        attempt: 1,
        ...folders,
        argv: ["bash", "-c", script],
        env: {},
        files: [],
        stdin: "",
        ...more,
      };
    },
    ticketsTaken: async () => (await logOf()).split("ticket").length - 1,
    async leftovers() {
      const containers = await docker.listContainers({ all: true, filters });
      const { Volumes: volumes } = await docker.listVolumes({ filters });
      const names = [
        ...containers.map(({ Names }) => `container ${Names[0]?.slice(1)}`),
        ...volumes.map(({ Name }) => `volume ${Name}`),
      ];
      return names.filter((name) => !name.endsWith(`${gatewayName}`));
    },
    async [Symbol.asyncDispose]() {
      for (const { Id } of await docker.listContainers({ all: true, filters })) {
        await docker.getContainer(Id).remove({ force: true, v: true });
      }
      const { Volumes: volumes } = await docker.listVolumes({ filters });
      for (const { Name } of volumes) {
        await docker.getVolume(Name).remove();
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface DockerRun {
  readonly exit: JobExit;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly lines: readonly string[];
  readonly containerId: string;
}

/** What a listener heard, and the listener. */
export function listening(onLine: (line: string) => void = () => {}) {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const lines: string[] = [];
  return {
    listener: {
      onStdout: async (piece: Uint8Array) => void stdout.push(Buffer.from(piece)),
      onStderr: async (piece: Uint8Array) => void stderr.push(Buffer.from(piece)),
      onLine: (line: string) => {
        lines.push(line);
        onLine(line);
      },
    },
    heard: () => ({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), lines }),
  };
}

export function limitsOf(more: Partial<JobLimits> = {}): JobLimits {
  return { deadlineMs: 60_000, silenceMs: 60_000, keepAliveMs: 60_000, ...more };
}

export function signalsOf(more: Partial<JobSignals> = {}): JobSignals {
  return { end: NEVER, letGo: NEVER, ...more };
}

/** Prepares a job, starts it, and hears it to its end. */
export async function runInDocker(
  runtime: DockerRuntime,
  spec: JobSpec,
  {
    limits,
    signals,
    onLine,
  }: {
    readonly limits?: Partial<JobLimits>;
    readonly signals?: Partial<JobSignals>;
    readonly onLine?: (line: string) => void;
  } = {},
): Promise<DockerRun> {
  const { listener, heard } = listening(onLine);
  const { place, start } = await runtime.prepare(spec, NEVER);
  const job = await start(listener, limitsOf(limits), signalsOf(signals));
  const exit = await job.exit;
  return { exit, ...heard(), containerId: place?.containerId ?? "" };
}
