import type { ServedGateway } from "../adapters/gateway/index.ts";
import { postgresGatewayStore } from "../adapters/postgres/index.ts";
import { summedMetrics } from "../adapters/prometheus/index.ts";
import { systemClock } from "../adapters/system/index.ts";
import type { Logger } from "../ports/logger.ts";
import { egressRules } from "./egress-rules.ts";
import type { GatewayConfig } from "./gateway-config.ts";
import { storeReach } from "./store-reach.ts";
import { namedUpstreams } from "./upstreams.ts";

export interface OpenServedGateway
  extends Pick<ServedGateway, "idleForMs" | "drain">,
    AsyncDisposable {
  readonly deploymentId: string;
  /** The database has answered within 45 s. Never rejects. */
  readonly isReady: () => Promise<boolean>;
  /** What it has counted so far, in Prometheus' text format. */
  readonly metricsPage: () => string;
}

/**
 * Opens a gateway for attempts in containers, on its socket and on the database's gateway functions.
 * Needs no answer of the database when the deployment's id is given.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`, `DATABASE_UNAVAILABLE`, `SERVICE_REFUSED`
 */
export async function openServedGateway(
  config: GatewayConfig,
  logger: Logger,
): Promise<OpenServedGateway> {
  const { upstreams, modelPrices, hangMs, proxy, socketPath, statsd } = config;
  await using undo = new AsyncDisposableStack();
  const store = undo.use(postgresGatewayStore({ connectionString: config.databaseUrl, logger }));
  const metrics = summedMetrics(
    statsd === undefined ? undefined : undo.use(await openStatsd(statsd, logger)),
  );
  const deploymentId = config.deploymentId ?? (await store.deploymentId());
  const { serveGateway } = await import("../adapters/gateway/index.ts");
  const gateway = undo.use(
    await serveGateway({
      upstreams: namedUpstreams(upstreams),
      credentials: store.credentials,
      authority: store.authority,
      egress: { rules: egressRules(config.egressAllow ?? []), journal: store.egress },
      deploymentId,
      socketPath,
      clock: systemClock,
      metrics,
      logger,
      ...(modelPrices === undefined ? {} : { prices: modelPrices }),
      ...(hangMs === undefined ? {} : { hangMs }),
      ...(proxy === undefined ? {} : { proxy: definedOf(proxy) }),
    }),
  );
  const owned = undo.move();
  return {
    deploymentId,
    idleForMs: gateway.idleForMs,
    drain: gateway.drain,
    isReady: storeReach({
      ask: store.deploymentId,
      answeredAgoMs: gateway.storeAnsweredAgoMs,
      clock: systemClock,
    }),
    metricsPage: metrics.page,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openStatsd(statsd: NonNullable<GatewayConfig["statsd"]>, logger: Logger) {
  const { statsdMetrics } = await import("../adapters/statsd/index.ts");
  return statsdMetrics({ ...statsd, logger });
}

/** Without what is not set: that is the environment's. */
function definedOf(proxy: NonNullable<GatewayConfig["proxy"]>) {
  const { httpProxy, httpsProxy, noProxy } = proxy;
  return {
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  };
}
