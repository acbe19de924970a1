import { randomUUID } from "node:crypto";
import type { EgressDenial, EgressEntry } from "../../../ports/egress.ts";
import type { JobName } from "../../../ports/job-runtime.ts";
import type { TunnelCount } from "./pass-bytes.ts";

/** An agent may make up names; those beyond so many are counted together. */
const MAX_TARGETS = 200;
const OTHERS = { host: "(others)", port: 0 } as const;

export interface Target {
  readonly host: string;
  /** 0: none that could be read. */
  readonly port: number;
}

/** What one attempt has asked for at this gateway. */
export interface EgressAccount {
  readonly attempt: JobName;
  /** Of these sums: another gateway's are added to them. */
  readonly source: string;
  readonly entries: () => readonly EgressEntry[];
  readonly deny: (target: Target, reason: EgressDenial) => void;
  /** @returns called when the tunnel is closed */
  readonly open: (target: Target, count: () => TunnelCount) => () => void;
  readonly openTunnels: () => number;
}

interface Sum {
  readonly target: Target;
  readonly outcome: EgressEntry["outcome"];
  requests: number;
  bytesUp: number;
  bytesDown: number;
  readonly live: Set<() => TunnelCount>;
}

export function egressAccount(attempt: JobName): EgressAccount {
  const sums = new Map<string, Sum>();
  let openTunnels = 0;

  const count = (target: Target, outcome: EgressEntry["outcome"]): Sum => {
    const key = `${target.host} ${target.port} ${outcome}`;
    if (!sums.has(key) && sums.size >= MAX_TARGETS && target !== OTHERS) {
      return count(OTHERS, outcome);
    }
    const sum = sums.get(key) ?? {
      target,
      outcome,
      requests: 0,
      bytesUp: 0,
      bytesDown: 0,
      live: new Set(),
    };
    sums.set(key, sum);
    sum.requests += 1;
    return sum;
  };

  return {
    attempt,
    source: randomUUID(),
    entries: () => [...sums.values()].map(entryOf),
    deny: (target, reason) => void count(target, reason),
    open(target, counted) {
      const sum = count(target, "passed");
      sum.live.add(counted);
      openTunnels += 1;
      return () => {
        const { bytesUp, bytesDown } = counted();
        sum.bytesUp += bytesUp;
        sum.bytesDown += bytesDown;
        sum.live.delete(counted);
        openTunnels -= 1;
      };
    },
    openTunnels: () => openTunnels,
  };
}

function entryOf({ target, outcome, requests, bytesUp, bytesDown, live }: Sum): EgressEntry {
  const counts = [...live].map((count) => count());
  return {
    ...target,
    outcome,
    requests,
    bytesUp: counts.reduce((sum, count) => sum + count.bytesUp, bytesUp),
    bytesDown: counts.reduce((sum, count) => sum + count.bytesDown, bytesDown),
    open: live.size,
  };
}
