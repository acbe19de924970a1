import { randomUUID } from "node:crypto";
import {
  memoryCredentialRepository,
  memoryDatabase,
  memoryRunRepository,
  memoryRunSurroundings,
} from "../../src/testing/memory/index.ts";
import { describeRunSurroundings } from "../../src/testing/run-surroundings-contract.ts";

describeRunSurroundings("memory", async () => {
  let passedMs = 0;
  const clock = { nowMs: () => Date.now() + passedMs };
  const database = memoryDatabase({ clock, deploymentId: randomUUID() });
  return {
    runs: memoryRunRepository(database),
    credentials: memoryCredentialRepository(database),
    surroundings: memoryRunSurroundings(database),
    passTime: async (ms) => {
      passedMs += ms;
    },
    dump: async () => [...database.all()].map((rows) => structuredClone(rows)),
    [Symbol.asyncDispose]: async () => {},
  };
});
