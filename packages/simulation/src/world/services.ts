import type { CloudEvent } from "@speckit/orchestrator/contract";
import {
  type MemoryBroker,
  type MemoryDatabase,
  type MemoryPullRequests,
  type MemoryRemotes,
  memoryBroker,
  memoryDatabase,
  memoryRemote,
} from "@speckit/orchestrator/testing";
import { BASE_FILES } from "./documents.ts";
import type { Scheduler } from "./scheduler.ts";

/** Where virtual time begins on every wall. */
export const EPOCH_MS = 1_750_000_000_000;

export const REPOSITORY = "owner/service";
export const GIT_REMOTE = "https://github.com/owner/service.git";

/** What all processes share: one database server, one broker, one git host. */
export interface Services {
  readonly database: MemoryDatabase;
  /** The server's clock against virtual time; a clock step moves it. */
  readonly serverClock: { offsetMs: number };
  readonly broker: MemoryBroker;
  readonly remotes: MemoryRemotes;
  /** Of the git host, by remote. */
  readonly pullRequests: Map<string, MemoryPullRequests>;
  /** Nobody reaches it while it is away. */
  readonly away: { database: boolean; broker: boolean; git: boolean };
  /** Highest sequence number of a run up to which the broker has confirmed every event. */
  readonly confirmedSeq: (runId: string) => number;
}

export function services(scheduler: Scheduler): Services {
  const serverClock = { offsetMs: 0 };
  const database = memoryDatabase({
    clock: { nowMs: () => EPOCH_MS + scheduler.nowMs() + serverClock.offsetMs },
    deploymentId: "00000000-0000-4000-8000-000000000000",
  });
  const broker = memoryBroker({
    nowMs: scheduler.nowMs,
    after: (ms, what) => scheduler.after(ms, "broker: delay is over", undefined, what),
  });
  const confirmed = new Map<string, Set<number>>();
  broker.onEvent(({ data }: CloudEvent) => {
    const { runId, seq } = data as { readonly runId?: string; readonly seq?: number };
    if (runId !== undefined && seq !== undefined) {
      const seqs = confirmed.get(runId) ?? new Set();
      confirmed.set(runId, seqs.add(seq));
    }
  });
  return {
    database,
    serverClock,
    broker,
    remotes: new Map([[GIT_REMOTE, memoryRemote(BASE_FILES)]]),
    pullRequests: new Map(),
    away: { database: false, broker: false, git: false },
    confirmedSeq(runId) {
      const seqs = confirmed.get(runId);
      let seq = 0;
      while (seqs?.has(seq + 1)) {
        seq += 1;
      }
      return seq;
    },
  };
}
