import { type CredentialRepository, type ModelGateway, SpeckitError } from "@speckit/orchestrator";
import { memoryCredentialRepository } from "@speckit/orchestrator/testing";
import type { Process, World } from "../world/process.ts";

/** The cool-downs of the database as one process reaches them. */
export function credentialsPort(
  { services }: World,
  process: Omit<Process, "deps">,
): CredentialRepository {
  const plain = memoryCredentialRepository(services.database);
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> =>
    process.links.database.call(
      `credentials.${name}`,
      effect,
      () => new SpeckitError("DATABASE_UNAVAILABLE", "PostgreSQL: the connection is lost"),
    );
  return {
    coolDown: (name, forMs, reason) => call("coolDown", () => plain.coolDown(name, forMs, reason)),
    coolingForMs: (name) => call("coolingForMs", () => plain.coolingForMs(name)),
  };
}

/** A way to a model that nobody calls: what agents do here, they do without one. */
export const unusedGateway: ModelGateway = {
  open: async () => ({
    baseUrl: "http://127.0.0.1/",
    token: "none",
    report: async () => ({
      calls: [],
      usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0, calls: 0 },
    }),
    onHeard: () => {},
    ended: new Promise(() => {}),
    [Symbol.asyncDispose]: async () => {},
  }),
};
