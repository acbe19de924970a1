import { type EgressRule, egressRuleText, rulesFor } from "../../../domain/egress-rule.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EgressEntry, EgressGate, EgressRepository } from "../../../ports/egress.ts";
import type { AttemptTokenSigner } from "../attempt-token.ts";
import { PROXY_USER } from "./proxy-request.ts";

/** How long tunnels that are being closed are waited for, whose gateway may have died. */
const SETTLE_MS = 3_000;
const LOOK_MS = 200;

export interface RemoteEgressOptions {
  readonly rules: readonly EgressRule[];
  readonly signer: Pick<AttemptTokenSigner, "signEgress">;
  readonly egress: EgressRepository;
  /** Of the bridge in the job's container, which leads to the gateway's socket. */
  readonly bridgePort: number;
  readonly clock: Clock;
}

/** The way out as a worker sees it whose jobs are in containers: another process opens it, and counts. */
export function remoteEgress(options: RemoteEgressOptions): EgressGate {
  const { rules, signer, egress, bridgePort, clock } = options;
  return {
    async open(attempt, expiresInMs) {
      const allowed = rulesFor(attempt.phase, rules).map(egressRuleText);
      const env =
        allowed.length === 0
          ? {}
          : proxyEnvironment(await signer.signEgress(attempt, expiresInMs), bridgePort);
      return {
        allowed,
        env,
        async report() {
          const endMs = clock.monotonicMs() + SETTLE_MS;
          for (;;) {
            const entries = await egress.egressOf(attempt);
            if (!entries.some(isOpen) || clock.monotonicMs() >= endMs) {
              return entries;
            }
            await clock.sleep(LOOK_MS);
          }
        },
      };
    },
  };
}

function isOpen({ open }: EgressEntry): boolean {
  return open > 0;
}

/** Programs do not agree on the case; what they call on loopback, their model, is not for the proxy. */
function proxyEnvironment(token: string, port: number): Readonly<Record<string, string>> {
  const proxy = `http://${PROXY_USER}:${token}@127.0.0.1:${port}`;
  const own = "127.0.0.1,localhost,::1";
  return {
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: own,
    no_proxy: own,
  };
}
