import { processRuntime } from "../adapters/process/index.ts";
import type { Diagnosis } from "../ports/diagnosis.ts";
import { agentBackends } from "./agent-backends.ts";
import type { OrchestratorConfig } from "./config.ts";
import { openGateway } from "./open-gateway.ts";
import { loggerFor } from "./open-orchestrator.ts";
import { whyNoContainers } from "./open-runtime.ts";
import { releaseOf } from "./release.ts";

/**
 * Looks at what runs need on this machine, besides its services: the runtime, and every backend that
 * can look at itself. Calls no model: the provider is asked for its list of models, through a gateway
 * like a run's.
 */
export async function diagnose(config: OrchestratorConfig): Promise<readonly Diagnosis[]> {
  const kind = await runtimeOf(config);
  const found: Diagnosis[] = [...secretsFound(config)];
  if (kind === "docker") {
    found.push(...(await diagnoseContainers(config)));
  }
  const runtime = processRuntime();
  if (kind === "process") {
    const { isolation, contained } = await runtime.report();
    const state = contained ? "ok" : "warning";
    found.push({ check: "runtime.isolation", state, found: isolation });
  }
  // In a container the image's self-check has looked at them.
  for (const backend of kind === "docker" ? [] : agentBackends(config)) {
    const tools = {
      outputOf: async (argv: readonly [string, ...string[]]) => runtime.outputOf?.(argv),
      askProvider: () => askProvider(config),
    };
    found.push(...((await backend.diagnose?.(tools)) ?? []));
  }
  return found;
}

/** One that is not set was refused when the configuration was read. */
function secretsFound({ agentSecrets = {} }: OrchestratorConfig): readonly Diagnosis[] {
  const names = Object.keys(agentSecrets);
  return names.length === 0
    ? []
    : [{ check: "command.secrets", state: "ok", found: `set: ${names.join(", ")}` }];
}

/** Where runs would go now; what keeps `auto` from containers is no problem. */
async function runtimeOf(config: OrchestratorConfig): Promise<"docker" | "process"> {
  const { runtime = "process" } = config;
  if (runtime !== "auto") {
    return runtime;
  }
  return (await whyNoContainers(config)) === undefined ? "docker" : "process";
}

async function diagnoseContainers({
  docker: address = {},
}: OrchestratorConfig): Promise<readonly Diagnosis[]> {
  const { connectDocker, dockerDiagnosis } = await import("../adapters/docker/index.ts");
  return dockerDiagnosis({
    docker: connectDocker(address),
    deploymentId: "doctor",
    image: address.jobImage ?? releaseOf("speckit-job"),
  });
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
