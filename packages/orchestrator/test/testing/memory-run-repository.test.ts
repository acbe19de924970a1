import { randomUUID } from "node:crypto";
import {
  memoryCredentialRepository,
  memoryDatabase,
  memoryRunRepository,
} from "../../src/testing/memory/index.ts";
import { describeRunRepository } from "../../src/testing/run-repository-contract.ts";

describeRunRepository("memory", async () => {
  let passedMs = 0;
  const clock = { nowMs: () => Date.now() + passedMs };
  const database = memoryDatabase({ clock, deploymentId: randomUUID() });
  return {
    runs: memoryRunRepository(database),
    credentials: memoryCredentialRepository(database),
    passTime: async (ms) => {
      passedMs += ms;
    },
    dump: async () => [...database.all()].map((rows) => structuredClone(rows)),
    [Symbol.asyncDispose]: async () => {},
  };
});
