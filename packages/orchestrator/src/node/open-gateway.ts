import { systemClock } from "../adapters/system/index.ts";
import type { CredentialRepository } from "../ports/credential-repository.ts";
import type { Logger } from "../ports/logger.ts";
import type { ModelGateway } from "../ports/model-gateway.ts";
import type { OrchestratorConfig } from "./config.ts";

/** Name of the one credential a deployment has so far. */
export const CODEX_CREDENTIAL = "codex";

type Gateway = ModelGateway & AsyncDisposable;

/** The gateway in front of Codex's provider, undefined without a key. Its libraries come with it. */
export async function openGateway(
  { codex = {}, modelPrices }: OrchestratorConfig,
  parts: {
    readonly credentials: CredentialRepository;
    readonly logger: Logger;
    readonly deploymentId: string;
  },
): Promise<Gateway | undefined> {
  const { apiKey, baseUrl, headers, hangMs } = codex;
  if (apiKey === undefined) {
    return undefined;
  }
  const { createGateway } = await import("../adapters/gateway/index.ts");
  return createGateway({
    ...parts,
    upstream: { apiKey, baseUrl, ...(headers === undefined ? {} : { headers }) },
    credential: CODEX_CREDENTIAL,
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
  if (config.codex?.apiKey === undefined) {
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
