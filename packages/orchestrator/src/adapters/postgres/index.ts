export { type MigrationReport, migrateDatabase } from "./migrate.ts";
export { type PostgresRepositoryOptions, postgresRunRepository } from "./run-repository.ts";
