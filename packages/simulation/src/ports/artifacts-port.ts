import { type ArtifactStore, SpeckitError } from "@speckit/orchestrator";
import type { Process } from "../world/process.ts";

/** The process's own disk: slow at times, full at times. Pieces of a log are not worth a step each. */
export function artifactsPort(process: Omit<Process, "deps">, inner: ArtifactStore): ArtifactStore {
  const { local } = process.links;
  const lostWith = (): unknown => new SpeckitError("DISK_FULL", "no space left");
  return {
    open: async (runId, name) => {
      const writer = await local.call("artifacts.open", () => inner.open(runId, name), lostWith);
      return {
        ...writer,
        close: () => local.call("artifacts.close", writer.close, lostWith),
      };
    },
    put: (runId, name, content) =>
      local.call("artifacts.put", () => inner.put(runId, name, content), lostWith),
    read: inner.read,
    list: inner.list,
    runsHere: () => local.call("artifacts.runsHere", inner.runsHere, lostWith),
    removeRun: (runId) => local.call("artifacts.removeRun", () => inner.removeRun(runId), lostWith),
    removeLeftovers: inner.removeLeftovers,
  };
}
