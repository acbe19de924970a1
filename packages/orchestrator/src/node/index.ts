export { type MigrationReport, migrateDatabase } from "../adapters/postgres/index.ts";
export { type OrchestratorConfig, secretsOf } from "./config.ts";
export { type DiagnoseOptions, diagnose } from "./diagnose.ts";
export {
  type GatewayConfig,
  type GatewayConfigInput,
  readGatewayConfig,
} from "./gateway-config.ts";
export { gatewayLogger } from "./gateway-logger.ts";
export {
  loggerFor,
  type OpenOptions,
  type OpenOrchestrator,
  openOrchestrator,
} from "./open-orchestrator.ts";
export { openGitHubAppCredentials, openPullRequestHost } from "./open-pull-request-host.ts";
export { checkContainers } from "./open-runtime.ts";
export { type OpenServedGateway, openServedGateway } from "./open-served-gateway.ts";
export {
  type ReadEnvironment,
  readAsFarAsValid,
  readEnvironment,
} from "./read-environment.ts";
export type { Environment } from "./setting-value.ts";
export { SETTINGS, type SettingFacts, type SettingName } from "./settings-table.ts";
