import { processRuntime } from "../../adapters/process/index.ts";
import { type Diagnosis, fine, warning } from "../../ports/diagnosis.ts";
import { agentBackends } from "../agent-backends.ts";
import type { OrchestratorConfig } from "../config.ts";
import { openGateway } from "../open-gateway.ts";
import { loggerFor } from "../open-orchestrator.ts";
import { whyNoContainers } from "../open-runtime.ts";
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
  const kind = await runtimeOf(config);
  const groups = await Promise.all([
    secretsFound(config),
    kind === "docker"
      ? lookWithin("docker.engine", async () => diagnoseContainers(config, await deploymentId))
      : lookWithin("runtime.isolation", isolationFound),
    isLeftOut ? [] : lookWithin("codex.provider", () => diagnoseBackends(config, kind)),
  ]);
  return groups.flat();
}

/** Where runs would go now; what keeps `auto` from containers is no problem. */
async function runtimeOf(config: OrchestratorConfig): Promise<"docker" | "process"> {
  const { runtime = "process" } = config;
  if (runtime !== "auto") {
    return runtime;
  }
  return (await whyNoContainers(config)) === undefined ? "docker" : "process";
}

/** One that is not set was refused when the configuration was read. */
function secretsFound({ agentSecrets = {} }: OrchestratorConfig): readonly Diagnosis[] {
  const names = Object.keys(agentSecrets);
  return names.length === 0 ? [] : [fine("command.secrets", `set: ${names.join(", ")}`)];
}

async function isolationFound(): Promise<readonly Diagnosis[]> {
  const { isolation, contained } = await processRuntime().report();
  return [
    contained ? fine("runtime.isolation", isolation) : warning("runtime.isolation", isolation),
  ];
}

async function diagnoseContainers(
  { docker: address = {} }: OrchestratorConfig,
  deploymentId: string | undefined,
): Promise<readonly Diagnosis[]> {
  const { connectDocker, dockerDiagnosis } = await import("../../adapters/docker/index.ts");
  return dockerDiagnosis({
    docker: connectDocker(address),
    deploymentId,
    image: address.jobImage ?? releaseOf("speckit-job"),
    gatewayImage:
      address.gatewayVolume === undefined
        ? (address.gatewayImage ?? releaseOf("speckit-worker"))
        : undefined,
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
