import { systemClock } from "../adapters/system/index.ts";
import type { CredentialRepository } from "../ports/credential-repository.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ModelGateway } from "../ports/model-gateway.ts";
import type { OrchestratorConfig } from "./config.ts";
import { namedUpstreams, upstreamsOf } from "./upstreams.ts";

type Gateway = ModelGateway & AsyncDisposable;

/** The gateway of Codex's runs, undefined without a key for them. Its libraries come with it. */
export async function openGateway(
  config: OrchestratorConfig,
  parts: {
    readonly credentials: CredentialRepository;
    readonly logger: Logger;
    readonly deploymentId: string;
    readonly metrics?: Metrics | undefined;
  },
): Promise<Gateway | undefined> {
  if (config.codex?.apiKeys === undefined) {
    return undefined;
  }
  const { codex, modelPrices } = config;
  const { hangMs } = codex;
  const { createGateway } = await import("../adapters/gateway/index.ts");
  return createGateway({
    ...parts,
    upstreams: namedUpstreams(upstreamsOf(config)),
    clock: systemClock,
    ...(modelPrices === undefined ? {} : { prices: modelPrices }),
    ...(hangMs === undefined ? {} : { hangMs }),
  });
}

/**
 * The same, opened when the first attempt asks: a command that carries no agent opens no port.
 */
export function gatewayOnDemand(
  config: OrchestratorConfig,
  parts: Parameters<typeof openGateway>[1],
): Gateway | undefined {
  if (config.codex?.apiKeys === undefined) {
    return undefined;
  }
  let opening: Promise<Gateway | undefined> | undefined;
  return {
    async open(attempt) {
      opening ??= openGateway(config, parts);
      const gateway = await opening;
      if (gateway === undefined) {
        throw new Error("a gateway without a key");
      }
      return gateway.open(attempt);
    },
    async [Symbol.asyncDispose]() {
      await (await opening)?.[Symbol.asyncDispose]();
    },
  };
}
