import {
  type RunSurroundingsReader,
  WORKER_HEARD_WITHIN_MS,
} from "../../ports/run-surroundings.ts";
import type { MemoryDatabase } from "./run-repository/memory-database.ts";

/** What is around a run in a {@link MemoryDatabase}. */
export function memoryRunSurroundings(database: MemoryDatabase): RunSurroundingsReader {
  return {
    surroundingsOf: async (runId) => {
      const rows = database.rowsOf(runId);
      if (rows === undefined) {
        return undefined;
      }
      const nowMs = database.now();
      const { run, attempts, events } = rows;
      const workers = [...database.workers.values()];
      const owner = database.workers.get(run.leaseOwner ?? 0);
      const rest = database.credentials.get(run.credential ?? "");
      const engineId = attempts.find(({ state }) => state === "running")?.place?.engineId;
      const heard = workers.flatMap(({ engine }) =>
        engine !== undefined && engine.engineId === engineId ? [engine.seenAt] : [],
      );
      const before = [...database.all()].filter(
        ({ run: other }) => other.epoch === 0 && other.createdAt < run.createdAt,
      );
      return {
        now: new Date(nowMs),
        owner:
          owner === undefined || run.leaseOwner === null
            ? null
            : {
                workerId: run.leaseOwner,
                hostname: owner.hostname,
                seenAt: new Date(owner.seenAt),
              },
        workersSeen: workers.filter(({ seenAt }) => seenAt > nowMs - WORKER_HEARD_WITHIN_MS).length,
        runsBefore: run.epoch === 0 ? before.length : 0,
        coolDown:
          run.credential === null || rest === undefined || rest.untilMs <= nowMs
            ? null
            : { credential: run.credential, until: new Date(rest.untilMs), reason: rest.reason },
        engine:
          engineId === undefined
            ? null
            : { engineId, seenAt: heard.length === 0 ? null : new Date(Math.max(...heard)) },
        lastMessages: events.filter(({ type }) => type === "phase.message").slice(-3),
      };
    },
  };
}
