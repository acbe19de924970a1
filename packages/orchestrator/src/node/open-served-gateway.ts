import type { ServedGateway } from "../adapters/gateway/index.ts";
import { postgresGatewayStore } from "../adapters/postgres/index.ts";
import { systemClock } from "../adapters/system/index.ts";
import type { Logger } from "../ports/logger.ts";
import type { GatewayConfig } from "./gateway-config.ts";
import { CODEX_CREDENTIAL } from "./open-gateway.ts";

/**
 * Opens a gateway for attempts in containers, on its socket and on the database's gateway functions.
 * Needs no answer of the database when the deployment's id is given.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`, `DATABASE_UNAVAILABLE`, `SERVICE_REFUSED`
 */
export async function openServedGateway(
  config: GatewayConfig,
  logger: Logger,
): Promise<ServedGateway & { readonly deploymentId: string }> {
  const { apiKey, baseUrl, headers, modelPrices, hangMs, proxy, socketPath } = config;
  await using undo = new AsyncDisposableStack();
  const store = undo.use(postgresGatewayStore({ connectionString: config.databaseUrl, logger }));
  const deploymentId = config.deploymentId ?? (await store.deploymentId());
  const { serveGateway } = await import("../adapters/gateway/index.ts");
  const gateway = undo.use(
    await serveGateway({
      upstream:
        apiKey === undefined
          ? undefined
          : { apiKey, baseUrl, ...(headers === undefined ? {} : { headers }) },
      credential: CODEX_CREDENTIAL,
      credentials: store.credentials,
      authority: store.authority,
      deploymentId,
      socketPath,
      clock: systemClock,
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
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
