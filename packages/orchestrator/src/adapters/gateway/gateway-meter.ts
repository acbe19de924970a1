import type { GatewayRefusal } from "../../domain/gateway-refusal.ts";
import type { ModelProvider } from "../../domain/model-provider.ts";
import type { CoolDownReason } from "../../ports/credential-repository.ts";
import type { EgressDenial } from "../../ports/egress.ts";
import type { Metrics } from "../../ports/metrics.ts";
import type { ModelCall } from "../../ports/model-gateway.ts";
import type { TunnelCount } from "./egress/pass-bytes.ts";

/** Counts what a gateway does, for whoever operates it. Names no attempt, and no key. */
export interface GatewayMeter {
  /** A request was answered without its provider. */
  readonly refused: (reason: GatewayRefusal) => void;
  /** A call of an attempt goes on from here. @returns to be called when it has ended */
  readonly begun: () => () => void;
  readonly ended: (provider: ModelProvider, call: Pick<ModelCall, "outcome" | "usage">) => void;
  /** A way out was not opened, or was cut before anything went through. */
  readonly denied: (reason: EgressDenial) => void;
  /** A tunnel is open. @returns to be called when it is closed */
  readonly opened: () => (count: TunnelCount) => void;
  /** A key is not used for a while. */
  readonly rests: (reason: CoolDownReason | "refused") => void;
}

export function gatewayMeter(metrics: Metrics | undefined): GatewayMeter {
  let open = 0;
  let tunnels = 0;
  const tellTunnels = (by: number): void => {
    tunnels += by;
    metrics?.gauge("egress_tunnels_open", tunnels, {});
  };
  const tell = (by: number): void => {
    open += by;
    metrics?.gauge("model_calls_open", open, {});
  };
  return {
    refused: (reason) => metrics?.count("gateway_refusals", { reason }),
    begun() {
      tell(1);
      return () => tell(-1);
    },
    ended(provider, { outcome, usage }) {
      metrics?.count("model_calls", { provider, became: outcome });
      if (usage !== null) {
        const { inputTokens, cachedInputTokens, outputTokens } = usage;
        metrics?.count("model_tokens", { provider, kind: "input" }, inputTokens);
        metrics?.count("model_tokens", { provider, kind: "cached_input" }, cachedInputTokens);
        metrics?.count("model_tokens", { provider, kind: "output" }, outputTokens);
      }
    },
    denied: (reason) => metrics?.count("egress_requests", { became: reason }),
    opened() {
      metrics?.count("egress_requests", { became: "passed" });
      tellTunnels(1);
      return ({ bytesUp, bytesDown }) => {
        metrics?.count("egress_bytes", { way: "up" }, bytesUp);
        metrics?.count("egress_bytes", { way: "down" }, bytesDown);
        tellTunnels(-1);
      };
    },
    rests: (reason) => metrics?.count("key_rests", { reason }),
  };
}
