import type { ModelProvider } from "../../domain/model-provider.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CredentialRepository } from "../../ports/credential-repository.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Metrics } from "../../ports/metrics.ts";
import type { ModelPrices } from "./price-of.ts";
import type { ProviderShape } from "./shapes/provider-shape.ts";

/** Where the calls of one provider's clients go. */
export interface GatewayUpstream {
  /** Default: the provider's own. */
  readonly baseUrl?: string | undefined;
  /** The real keys: one of them goes into the header of each upstream call, and nowhere else. */
  readonly apiKeys: readonly string[];
  /** Sent with each call, for example `OpenAI-Organization` and `OpenAI-Project`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What rests when all of the keys do. Default: the provider's name. */
  readonly credential?: string;
}

/** By provider; who is not in it is refused to every agent. */
export type GatewayUpstreams = {
  readonly [Provider in ModelProvider]?: GatewayUpstream | undefined;
};

export interface GatewayOptions {
  /** None: every model call is refused. Jobs still get their start tickets. */
  readonly upstreams: GatewayUpstreams;
  readonly credentials: CredentialRepository;
  /** Default: no price is known. */
  readonly prices?: ModelPrices;
  /**
   * How long the provider may send nothing, in milliseconds, before and after its headers. Default
   * 120 000: a model that thinks for longer keeps its stream alive.
   */
  readonly hangMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: nothing is counted. */
  readonly metrics?: Metrics | undefined;
  /** Goes into the tokens. Default `local`. */
  readonly deploymentId?: string;
  /** Default: as the environment says (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). */
  readonly proxy?: GatewayProxy;
}

/** The way to the provider; what is left out is as the environment says. */
export interface GatewayProxy {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
}

export const DEFAULT_HANG_MS = 120_000;

/** Upstream as calls use it. */
export interface Upstream {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** By lower-case name, without the key's. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws SpeckitError `CONFIGURATION_INVALID`; never says a key */
export function checkedUpstream(
  { provider, defaultBaseUrl }: Pick<ProviderShape, "provider" | "defaultBaseUrl">,
  { baseUrl = defaultBaseUrl, apiKeys, headers = {} }: GatewayUpstream,
): Upstream {
  const whose = `the model provider ${provider}`;
  if (apiKeys.length === 0 || !apiKeys.every((key) => /^[\x21-\x7e]+$/.test(key))) {
    throw invalid(`the key of ${whose}: expected visible ASCII characters without spaces`);
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password !== "") {
    throw invalid(`the base URL of ${whose}: expected http(s)://host/path, without a user`);
  }
  if (url.search + url.hash !== "") {
    throw invalid(`the base URL of ${whose}: expected no query and no fragment`);
  }
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { baseUrl: url.href.replace(/\/+$/, ""), headers: Object.fromEntries(own) };
}

function invalid(what: string): SpeckitError {
  return new SpeckitError("CONFIGURATION_INVALID", what);
}
