import type { CloudEvent } from "@speckit/orchestrator/contract";

/** What the events have told of runs so far: who waits for one is woken by its event. */
export interface ToldRuns {
  readonly hear: (event: Pick<CloudEvent, "type" | "data">) => void;
  /** Rejects when the run ends otherwise. */
  readonly succeeded: (runId: string) => Promise<void>;
  /** Its cleanup is done. Each run may be asked about once. */
  readonly closed: (runId: string) => Promise<void>;
}

interface Told {
  readonly succeeded: PromiseWithResolvers<void>;
  readonly closed: PromiseWithResolvers<void>;
}

export function toldRuns(): ToldRuns {
  const runs = new Map<string, Told>();
  const toldOf = (runId: string): Told => {
    const known = runs.get(runId);
    if (known !== undefined) {
      return known;
    }
    const told = {
      succeeded: Promise.withResolvers<void>(),
      closed: Promise.withResolvers<void>(),
    };
    told.succeeded.promise.catch(() => undefined);
    runs.set(runId, told);
    return told;
  };
  return {
    hear({ type, data }) {
      const { runId, phase } = data as { readonly runId: string; readonly phase?: string };
      if (type === "speckit.run.succeeded") {
        toldOf(runId).succeeded.resolve();
      } else if (type === "speckit.run.failed") {
        toldOf(runId).succeeded.reject(new Error(`A run failed: ${JSON.stringify(data)}`));
      } else if (type === "speckit.phase.succeeded" && phase === "cleanup") {
        toldOf(runId).closed.resolve();
      }
    },
    succeeded: (runId) => toldOf(runId).succeeded.promise,
    async closed(runId) {
      await toldOf(runId).closed.promise;
      runs.delete(runId);
    },
  };
}
