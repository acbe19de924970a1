import { randomUUID } from "node:crypto";
import { memoryDatabase } from "../../src/testing/memory/index.ts";
import { memoryRunStatistics } from "../../src/testing/memory/memory-run-statistics.ts";
import { describeRunStatistics } from "../../src/testing/run-statistics-contract.ts";

describeRunStatistics("memory", async () => {
  const nowMs = Date.now();
  const database = memoryDatabase({ clock: { nowMs: () => nowMs }, deploymentId: randomUUID() });
  return {
    statistics: memoryRunStatistics(database),
    nowMs: () => nowMs,
    store: async (rows) => {
      for (const { run, attempts } of rows) {
        database.insert(run, [], undefined);
        database.change(run.runId, (draft) => {
          draft.attempts = attempts;
        });
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});
