import { processRuntime } from "../../adapters/process/index.ts";
import { failureOf } from "../../domain/speckit-error.ts";
import { type Diagnosis, fine, warning } from "../../ports/diagnosis.ts";
import { agentBackends } from "../agent-backends.ts";
import type { OrchestratorConfig } from "../config.ts";
import { openGateway } from "../open-gateway.ts";
import { loggerFor } from "../open-orchestrator.ts";
import { releaseOf } from "../release.ts";
import { lookWithin } from "./look-within.ts";

/**
 * Where agents run, and every backend that can look at itself. Calls no model: the provider is asked for
 * its list of models, through a gateway like a run's.
 */
export async function diagnoseAgents(
  config: OrchestratorConfig,
  {
    deploymentId,
    isLeftOut,
  }: {
    readonly deploymentId: Promise<string | undefined>;
    /** Which agent is meant could not be read. */
    readonly isLeftOut: boolean;
  },
): Promise<readonly Diagnosis[]> {
  const { runtime = "process" } = config;
  const why = runtime === "auto" ? await whyNoContainers(config) : undefined;
  const kind =
    runtime === "docker" || (runtime === "auto" && why === undefined) ? "docker" : "process";
  const groups = await Promise.all([
    secretsFound(config),
    kind === "docker"
      ? lookWithin("docker.engine", async () => diagnoseContainers(config, await deploymentId))
      : lookWithin("runtime.isolation", () => isolationFound(why)),
    isLeftOut ? [] : lookWithin("codex.provider", () => diagnoseBackends(config, kind)),
  ]);
  return groups.flat();
}

/**
 * What keeps runs of `auto` from containers, which is no problem; undefined where nothing does. As a
 * worker finds it, but without pulling an image: one that names a registry counts as there.
 */
async function whyNoContainers({
  docker: address = {},
}: OrchestratorConfig): Promise<string | undefined> {
  const { connectDocker, pingEngine } = await import("../../adapters/docker/index.ts");
  const { imageMissing, localImageId } = await import("../../adapters/docker/job-image.ts");
  try {
    const docker = connectDocker(address);
    await pingEngine(docker);
    const { job, gateway } = imagesOf(address);
    for (const image of gateway === undefined ? [job] : [job, gateway]) {
      if (!image.includes("/") && (await localImageId(docker, image)) === undefined) {
        return imageMissing(image, `Docker does not have the image ${image}`).message;
      }
    }
    return undefined;
  } catch (error) {
    return failureOf(error).message;
  }
}

function imagesOf(address: NonNullable<OrchestratorConfig["docker"]>): {
  readonly job: string;
  /** Undefined where somebody else runs the gateway. */
  readonly gateway: string | undefined;
} {
  const { jobImage: job = releaseOf("speckit-job"), gatewayVolume } = address;
  const { gatewayImage: gateway = releaseOf("speckit-worker") } = address;
  return { job, gateway: gatewayVolume === undefined ? gateway : undefined };
}

/** One that is not set was refused when the configuration was read. */
function secretsFound({ agentSecrets = {} }: OrchestratorConfig): readonly Diagnosis[] {
  const names = Object.keys(agentSecrets);
  return names.length === 0 ? [] : [fine("command.secrets", `set: ${names.join(", ")}`)];
}

async function isolationFound(why: string | undefined): Promise<readonly Diagnosis[]> {
  const { isolation, contained } = await processRuntime().report();
  const found = why === undefined ? isolation : `${isolation}; no containers, since: ${why}`;
  return [contained ? fine("runtime.isolation", found) : warning("runtime.isolation", found)];
}

async function diagnoseContainers(
  { docker: address = {} }: OrchestratorConfig,
  deploymentId: string | undefined,
): Promise<readonly Diagnosis[]> {
  const { connectDocker, dockerDiagnosis } = await import("../../adapters/docker/index.ts");
  const { job, gateway } = imagesOf(address);
  return dockerDiagnosis({
    docker: connectDocker(address),
    deploymentId,
    image: job,
    gatewayImage: gateway,
    gatewayVolume: address.gatewayVolume,
  });
}

async function diagnoseBackends(
  config: OrchestratorConfig,
  kind: "docker" | "process",
): Promise<readonly Diagnosis[]> {
  const runtime = processRuntime();
  const found: Diagnosis[] = [];
  for (const backend of agentBackends(config, kind)) {
    // One that nobody has set up, and that requests have to name, is nobody's.
    if (backend.name !== (config.agent ?? "codex") && backend.unready?.() !== undefined) {
      continue;
    }
    const tools = {
      ...(kind === "docker"
        ? {}
        : {
            outputOf: async (argv: readonly [string, ...string[]]) => runtime.outputOf?.(argv),
          }),
      ...(config.codex?.apiKeys === undefined ? {} : { askProvider: () => askProvider(config) }),
    };
    found.push(...((await backend.diagnose?.(tools)) ?? []));
  }
  return found;
}

async function askProvider(config: OrchestratorConfig): Promise<number | null> {
  await using gateway = await openGateway(config, {
    // Whatever this finds out says nothing about the deployment's credential.
    credentials: { coolDown: async () => {}, coolingForMs: async () => 0 },
    deploymentId: "doctor",
    logger: loggerFor({ ...config, logLevel: "error" }),
  });
  if (gateway === undefined) {
    return null;
  }
  const attempt = { runId: "doctor", phase: "doctor", attempt: 1, expiresInMs: 30_000, limits: {} };
  await using access = await gateway.open(attempt);
  try {
    const { status } = await fetch(`${access.baseUrl}/models`, {
      headers: { authorization: `Bearer ${access.token}` },
      signal: AbortSignal.timeout(20_000),
    });
    return status;
  } catch {
    return null;
  }
}
