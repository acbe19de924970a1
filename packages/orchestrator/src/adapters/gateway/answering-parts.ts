import { EnvHttpProxyAgent } from "undici";
import type { GatewayRefusal } from "../../domain/gateway-refusal.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { AnsweringParts } from "./answer-request.ts";
import { bodyBudget } from "./body-budget.ts";
import { gatewayMeter } from "./gateway-meter.ts";
import { checkedUpstream, DEFAULT_HANG_MS, type GatewayOptions } from "./gateway-options.ts";
import { keyPool } from "./key-pool.ts";
import { refusalLog } from "./refusal-log.ts";
import { PROVIDER_SHAPES } from "./shapes/shape-of-path.ts";

/** What is needed to answer calls, whoever lets them in. */
export type UpstreamParts = Omit<AnsweringParts, "admit"> & AsyncDisposable;

/** @throws SpeckitError `CONFIGURATION_INVALID` */
export function answeringParts(options: GatewayOptions): UpstreamParts {
  const { clock, logger, prices = {}, hangMs = DEFAULT_HANG_MS, proxy } = options;
  const meter = gatewayMeter(options.metrics);
  const providers = PROVIDER_SHAPES.flatMap((shape) => {
    const upstream = options.upstreams[shape.provider];
    if (upstream === undefined) {
      return [];
    }
    const { apiKeys, credential = shape.provider } = upstream;
    const way = {
      shape,
      upstream: checkedUpstream(shape, upstream),
      keys: keyPool({ ...options, apiKeys, credential, meter }),
    };
    return [[shape.provider, way] as const];
  });
  // Silence is watched for call by call, from before the connection is made: no time-outs here.
  const dispatcher = new EnvHttpProxyAgent({ ...proxy, headersTimeout: 0, bodyTimeout: 0 });
  return {
    providers: new Map(providers),
    dispatcher,
    hangMs,
    clock,
    prices,
    bodies: bodyBudget(),
    meter,
    tellRefusal: refusalLog(logger, clock),
    logger,
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

/**
 * A request that was refused before anybody asked whose it is: unreadable, or not for a gateway.
 *
 * @param through whose socket it came through, where that tells
 */
export function tellRefused(
  { meter, tellRefusal }: Pick<UpstreamParts, "meter" | "tellRefusal">,
  why: GatewayRefusal,
  through?: JobName,
): void {
  meter.refused(why);
  const fields = { refusal: why, reason: why.replaceAll("_", " ") };
  tellRefusal("warn", "request refused", { ...fields, ...through });
}
