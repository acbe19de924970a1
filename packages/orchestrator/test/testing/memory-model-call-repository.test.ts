import { randomUUID } from "node:crypto";
import {
  memoryDatabase,
  memoryModelCallRepository,
  recordModelCalls,
} from "../../src/testing/memory/index.ts";
import { describeModelCallRepository } from "../../src/testing/model-call-repository-contract.ts";

describeModelCallRepository("memory", async () => {
  const clock = { nowMs: () => Date.now() };
  const database = memoryDatabase({ clock, deploymentId: randomUUID() });
  return {
    modelCalls: memoryModelCallRepository(database),
    attempt: async () => ({ runId: randomUUID(), phase: "specify", attempt: 1 }),
    record: async (attempt, calls) => recordModelCalls(database, attempt, { calls }),
    hear: async (attempt) => recordModelCalls(database, attempt, { heardAt: new Date() }),
    [Symbol.asyncDispose]: async () => {},
  };
});
