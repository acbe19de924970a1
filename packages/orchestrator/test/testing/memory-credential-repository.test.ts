import { randomUUID } from "node:crypto";
import { describeCredentialRepository } from "../../src/testing/credential-repository-contract.ts";
import { memoryCredentialRepository, memoryDatabase } from "../../src/testing/memory/index.ts";

describeCredentialRepository("memory", async () => {
  let passedMs = 0;
  const clock = { nowMs: () => Date.now() + passedMs };
  const database = memoryDatabase({ clock, deploymentId: randomUUID() });
  return {
    credentials: memoryCredentialRepository(database),
    passTime: async (ms) => {
      passedMs += ms;
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
