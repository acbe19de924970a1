import { EnvHttpProxyAgent } from "undici";
import type { AnsweringParts } from "./answer-request.ts";
import { bodyBudget } from "./body-budget.ts";
import { credentialRest } from "./credential-rest.ts";
import { checkedUpstream, DEFAULT_HANG_MS, type GatewayOptions } from "./gateway-options.ts";

/** What is needed to answer calls, whoever lets them in. */
export type UpstreamParts = Omit<AnsweringParts, "admit"> & AsyncDisposable;

/** @throws SpeckitError `CONFIGURATION_INVALID` */
export function answeringParts(options: GatewayOptions): UpstreamParts {
  const { clock, logger, prices = {}, hangMs = DEFAULT_HANG_MS, proxy } = options;
  const upstream = options.upstream && checkedUpstream(options.upstream);
  // Silence is watched for call by call, from before the connection is made: no time-outs here.
  const dispatcher = new EnvHttpProxyAgent({ ...proxy, headersTimeout: 0, bodyTimeout: 0 });
  return {
    upstream,
    dispatcher,
    rest: credentialRest({ ...options, logger }),
    hangMs,
    clock,
    prices,
    bodies: bodyBudget(),
    logger,
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
