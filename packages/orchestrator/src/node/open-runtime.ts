import { readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { GatewayContainerOptions } from "../adapters/docker/index.ts";
import { processRuntime } from "../adapters/process/index.ts";
import { systemClock } from "../adapters/system/index.ts";
import { failureOf, SpeckitError } from "../domain/speckit-error.ts";
import type { CredentialRepository } from "../ports/credential-repository.ts";
import type { EgressGate, EgressRepository } from "../ports/egress.ts";
import type { JobRuntime } from "../ports/job-runtime.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ModelCallRepository } from "../ports/model-call-repository.ts";
import type { ModelGateway } from "../ports/model-gateway.ts";
import type { OrchestratorConfig } from "./config.ts";
import { egressRules } from "./egress-rules.ts";
import type { GatewayConfigInput } from "./gateway-config.ts";
import { gatewayOnDemand } from "./open-gateway.ts";
import { releaseOf } from "./release.ts";
import { upstreamsOf } from "./upstreams.ts";

/** A gateway of an embedded deployment ends when nothing has run for so long. */
const EMBEDDED_IDLE_EXIT_MS = 120_000;

interface Parts {
  readonly deploymentId: string;
  readonly credentials: CredentialRepository;
  readonly modelCalls: ModelCallRepository;
  readonly metrics: Metrics | undefined;
  readonly egress: EgressRepository;
  readonly logger: Logger;
}

/** Where agents run, and how they get to their model. */
export interface OpenedRuntime extends AsyncDisposable {
  readonly kind: "docker" | "process";
  readonly runtime: JobRuntime;
  /** In front of Codex's provider; undefined without a key. */
  readonly gateway: ModelGateway | undefined;
  /** The way to anything else; undefined where nothing closes it. */
  readonly egress: EgressGate | undefined;
}

/**
 * Opens the configured runtime. Connects to nothing but for `auto`, which asks the engine.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`
 */
export async function openRuntime(
  config: OrchestratorConfig,
  parts: Parts,
): Promise<OpenedRuntime> {
  switch (config.runtime ?? "process") {
    case "docker":
      return openDocker(config, parts);
    case "process":
      return openProcess(config, parts);
    case "auto": {
      const why = await whyNoContainers(config);
      if (why === undefined) {
        return openDocker(config, parts);
      }
      parts.logger.info("agents run as processes of this machine", { because: why });
      return openProcess(config, parts);
    }
  }
}

function openProcess(config: OrchestratorConfig, parts: Parts): OpenedRuntime {
  const gateway = gatewayOnDemand(config, parts);
  if ((config.docker?.egressAllow ?? []).length > 0) {
    parts.logger.warn(
      "SPECKIT_EGRESS_ALLOW means nothing here: processes have the machine's network",
    );
  }
  return {
    kind: "process",
    runtime: processRuntime(),
    gateway,
    egress: undefined,
    [Symbol.asyncDispose]: async () => gateway?.[Symbol.asyncDispose](),
  };
}

/** Why agents cannot run in containers here; undefined when they can. */
async function whyNoContainers(config: OrchestratorConfig): Promise<string | undefined> {
  try {
    await checkContainers(config);
    return undefined;
  } catch (error) {
    return failureOf(error).message;
  }
}

/**
 * Looks whether agents can run in containers here: the engine answers and has the images. For who asks
 * for containers at a terminal, and is better told at once than by a run that waits.
 *
 * @throws SpeckitError `ENGINE_UNAVAILABLE`, `ENGINE_FORBIDDEN`, `ENGINE_TOO_OLD`, `IMAGE_MISSING`
 */
export async function checkContainers({ docker: address = {} }: OrchestratorConfig): Promise<void> {
  const { connectDocker, jobImageId, pingEngine } = await import("../adapters/docker/index.ts");
  const docker = connectDocker(address);
  await pingEngine(docker);
  await jobImageId(docker, address.jobImage ?? releaseOf("speckit-job"));
  if (address.gatewayVolume === undefined) {
    await jobImageId(docker, address.gatewayImage ?? releaseOf("speckit-worker"));
  }
}

async function openDocker(config: OrchestratorConfig, parts: Parts): Promise<OpenedRuntime> {
  const { deploymentId, modelCalls, egress, logger } = parts;
  const { docker: address = {}, workspaceMaxBytes } = config;
  const { BRIDGE_PORT, connectDocker, dockerRuntime, gatewayContainer } = await import(
    "../adapters/docker/index.ts"
  );
  const { attemptTokenSigner, remoteEgress, remoteModelGateway } = await import(
    "../adapters/gateway/index.ts"
  );
  const docker = connectDocker(address);
  const signer = attemptTokenSigner({ deploymentId, now: systemClock.now });
  const container =
    address.gatewayVolume === undefined
      ? gatewayContainer({ docker, ...gatewayOptions(config, deploymentId), logger })
      : undefined;
  let isUsed = false;
  const ensureGateway = async (): Promise<void> => {
    isUsed = true;
    await container?.ensure();
  };
  const runtime = dockerRuntime({
    deploymentId,
    docker,
    image: address.jobImage ?? releaseOf("speckit-job"),
    ...(address.gatewayVolume === undefined ? {} : { gatewayVolume: address.gatewayVolume }),
    limits: {
      ...address.limits,
      ...(workspaceMaxBytes === undefined ? {} : { workspaceMaxBytes }),
    },
    signStartToken: signer.signStart,
    tokenKey: signer.tokenKey,
    ...(address.egressProbe === undefined ? {} : { deniedTargets: address.egressProbe }),
    ensureGateway,
    logger,
  });
  const { engine } = runtime;
  return {
    kind: "docker",
    runtime: {
      ...runtime,
      engine: {
        ...engine,
        // With every heartbeat: agents at work need it as much as those that start. It is not waited
        // for: a gateway that does not start says nothing about its engine.
        async ping() {
          await engine.ping();
          if (isUsed) {
            container?.ensure().catch((error: unknown) => {
              logger.warn("the gateway does not serve", { error: String(error) });
            });
          }
        },
      },
    },
    gateway: remoteModelGateway({
      signer,
      modelCalls,
      bridgePort: BRIDGE_PORT,
      clock: systemClock,
      logger,
    }),
    egress: remoteEgress({
      rules: egressRules(address.egressAllow ?? []),
      signer,
      egress,
      bridgePort: BRIDGE_PORT,
      clock: systemClock,
    }),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** How the gateway's container is started, where a worker does that. */
function gatewayOptions(
  config: OrchestratorConfig,
  deploymentId: string,
): Omit<GatewayContainerOptions, "docker" | "logger"> {
  const { docker: address = {}, databaseUrl = "" } = config;
  const database = socketDatabase(address.gatewayDatabaseUrl ?? databaseUrl);
  const document = JSON.stringify(gatewayConfig(config, deploymentId, database.url));
  return {
    deploymentId,
    image: address.gatewayImage ?? releaseOf("speckit-worker"),
    config: () => document,
    ...(address.gatewayNetwork === undefined ? {} : { network: address.gatewayNetwork }),
    ...database.mounted,
    replacesOther: config.amqpUrl === undefined,
  };
}

/** Where the gateway's container has the folder of a database's socket. */
const DATABASE_FOLDER = "/run/speckit-database";

/**
 * A database on a Unix socket, as an embedded one is: its folder is mounted into the gateway's
 * container, which runs as the folder's owner, since nobody else may enter it. That needs an engine on
 * this machine.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` when the folder is not here
 */
function socketDatabase(databaseUrl: string): {
  readonly url: string;
  readonly mounted: Pick<GatewayContainerOptions, "folders" | "user">;
} {
  const url = URL.parse(databaseUrl);
  const source = url?.searchParams.get("host") ?? "";
  if (url === null || !isAbsolute(source)) {
    return { url: databaseUrl, mounted: {} };
  }
  url.searchParams.set("host", DATABASE_FOLDER);
  try {
    const folders = [{ source: realpathSync(source), target: DATABASE_FOLDER }];
    return { url: url.href, mounted: { folders, user: statSync(source).uid } };
  } catch (cause) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `SPECKIT_GATEWAY_DATABASE_URL: expected a database that the gateway's container can reach, got one on a socket in ${source}, which is not on this machine`,
      { cause },
    );
  }
}

/** What the gateway's container is told over stdin. */
function gatewayConfig(
  config: OrchestratorConfig,
  deploymentId: string,
  databaseUrl: string,
): GatewayConfigInput {
  const { codex = {}, docker: address = {}, modelPrices, amqpUrl, statsd } = config;
  const { hangMs } = codex;
  const { gatewayHealthPort: healthPort, gatewayHealthHost: healthHost } = address;
  const extraCa = process.env.NODE_EXTRA_CA_CERTS;
  const proxy = {
    httpProxy: process.env.HTTP_PROXY ?? process.env.http_proxy,
    httpsProxy: process.env.HTTPS_PROXY ?? process.env.https_proxy,
    noProxy: process.env.NO_PROXY ?? process.env.no_proxy,
  };
  return {
    databaseUrl,
    deploymentId,
    upstreams: upstreamsOf(config),
    ...(statsd === undefined ? {} : { statsd }),
    ...(healthPort === undefined ? {} : { healthPort }),
    ...(healthHost === undefined ? {} : { healthHost }),
    ...(hangMs === undefined ? {} : { hangMs }),
    ...(modelPrices === undefined ? {} : { modelPrices }),
    ...(address.egressAllow === undefined ? {} : { egressAllow: [...address.egressAllow] }),
    ...(amqpUrl === undefined ? { idleExitMs: EMBEDDED_IDLE_EXIT_MS } : {}),
    ...(extraCa === undefined || extraCa === "" ? {} : { extraCaPem: certificatesIn(extraCa) }),
    proxy: Object.fromEntries(Object.entries(proxy).filter(([, value]) => value !== undefined)),
  };
}

function certificatesIn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `NODE_EXTRA_CA_CERTS: expected a readable file, got ${path}`,
      { cause },
    );
  }
}
