import type { CredentialRepository } from "../../ports/credential-repository.ts";
import type { MemoryDatabase } from "./run-repository/memory-database.ts";

/** Credentials in memory: those of all who share the database. */
export function memoryCredentialRepository(database: MemoryDatabase): CredentialRepository {
  return {
    coolDown: async (name, forMs, reason) => {
      const untilMs = database.now() + forMs;
      const known = database.credentials.get(name);
      if (known === undefined || known.untilMs < untilMs) {
        database.credentials.set(name, { untilMs, reason });
      }
    },
    coolingForMs: async (name) =>
      Math.max(0, (database.credentials.get(name)?.untilMs ?? 0) - database.now()),
  };
}
