export { diagnosePostgres, type PostgresDiagnosis } from "./diagnosis/diagnose-postgres.ts";
export {
  type GatewayStore,
  type GatewayStoreOptions,
  postgresGatewayStore,
} from "./gateway/gateway-store.ts";
export { type MigrationReport, migrateDatabase } from "./migration/migrate-database.ts";
export { type PostgresRepositoryOptions, postgresRunRepository } from "./run-repository.ts";
