import type { GatewayUpstreams } from "../adapters/gateway/index.ts";
import type { OrchestratorConfig } from "./config.ts";

/** The credential that runs with Codex wait for when its provider asks them to. */
export const CODEX_CREDENTIAL = "codex";

/** What a deployment has keys for, as its gateways are told. */
export function upstreamsOf({ codex = {}, providers }: OrchestratorConfig): GatewayUpstreams {
  const { apiKeys = [], baseUrl, headers } = codex;
  return {
    ...providers,
    ...(apiKeys.length === 0 ? {} : { openai: { apiKeys, baseUrl, headers } }),
  };
}

/** With the names of their credentials. */
export function namedUpstreams(upstreams: GatewayUpstreams): GatewayUpstreams {
  const { openai } = upstreams;
  return openai === undefined
    ? upstreams
    : { ...upstreams, openai: { ...openai, credential: CODEX_CREDENTIAL } };
}
