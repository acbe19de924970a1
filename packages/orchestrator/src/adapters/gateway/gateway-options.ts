import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CredentialRepository } from "../../ports/credential-repository.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ModelPrices } from "./price-of.ts";

/** Where model calls go. */
export interface GatewayUpstream {
  /** Default `https://api.openai.com/v1`. */
  readonly baseUrl?: string | undefined;
  /** The real key: goes into the Authorization header of upstream calls and nowhere else. */
  readonly apiKey: string;
  /** Sent with each call, for example `OpenAI-Organization` and `OpenAI-Project`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GatewayOptions {
  /** Left out: every model call is refused. Jobs still get their start tickets. */
  readonly upstream?: GatewayUpstream | undefined;
  /** Name of the key: what cools down when the provider says so. */
  readonly credential: string;
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

export const DEFAULT_BASE_URL = "https://api.openai.com/v1";
export const DEFAULT_HANG_MS = 120_000;

/** Upstream as calls use it. */
export interface Upstream {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** By lower-case name, Authorization included. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws SpeckitError `CONFIGURATION_INVALID`; never says a key */
export function checkedUpstream({
  baseUrl = DEFAULT_BASE_URL,
  apiKey,
  headers = {},
}: GatewayUpstream): Upstream {
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw invalid("the model provider's key: expected visible ASCII characters without spaces");
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password !== "") {
    throw invalid("the model provider's base URL: expected http(s)://host/path, without a user");
  }
  if (url.search + url.hash !== "") {
    throw invalid("the model provider's base URL: expected no query and no fragment");
  }
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    baseUrl: url.href.replace(/\/+$/, ""),
    apiKey,
    headers: { ...Object.fromEntries(own), authorization: `Bearer ${apiKey}` },
  };
}

function invalid(what: string): SpeckitError {
  return new SpeckitError("CONFIGURATION_INVALID", what);
}
