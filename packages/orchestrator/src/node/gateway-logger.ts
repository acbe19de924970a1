import { winstonLogger } from "../adapters/winston/index.ts";
import type { Logger } from "../ports/logger.ts";
import { secretsOfUpstreams } from "./config.ts";
import type { GatewayConfig } from "./gateway-config.ts";

/** JSON lines on stderr, without a secret of the configuration. */
export function gatewayLogger(config: GatewayConfig): Logger {
  return winstonLogger({
    level: config.logLevel ?? "info",
    format: "json",
    secrets: secretsOfGateway(config),
  });
}

function secretsOfGateway(config: GatewayConfig): readonly string[] {
  const { upstreams, proxy = {} } = config;
  const passwords = [config.databaseUrl, proxy.httpProxy, proxy.httpsProxy].flatMap((text) => {
    const password = text === undefined ? undefined : URL.parse(text)?.password;
    return password === undefined || password === "" ? [] : [decodeURIComponent(password)];
  });
  return [...secretsOfUpstreams(upstreams), ...passwords];
}
