import { markdownTable } from "./format.ts";
import type { Services } from "./services.ts";
import type { Budget } from "./statistics.ts";

/** How much is measured. */
export interface Sizes {
  readonly warmUp: Budget;
  readonly latency: Budget;
  readonly throughputMs: number;
  /** Of the worker: how many runs it carries at once. */
  readonly slots: number;
  readonly idleMs: number;
  readonly outputBytes: number;
  readonly coldStarts: number;
  /** Rounds of three phases with Codex, each done in three ways. */
  readonly attempts: Budget;
  readonly recordedBytes: number;
  /** Rounds of a run in containers, and the same commands in plain ones. */
  readonly containerRuns: Budget;
  /** Rounds of a workspace made in a volume, and a clone beside it. */
  readonly workspaces: Budget;
  readonly largeRepository: { readonly files: number; readonly historyBytes: number };
  /** Through the gateway, over a hundred streams. */
  readonly streamedBytes: number;
  /** With the session lock; without it, a kill takes a whole lease. */
  readonly kills: number;
  readonly killsWithoutLock: number;
  readonly outageMs: number;
  /** How long the rate is watched before the outage, and at least after it. */
  readonly watchMs: number;
}

/** What the parts of a bench are given: services, sizes, and where results go. */
export interface Bench {
  readonly services: Services;
  readonly sizes: Sizes;
  /** Prints a table. */
  readonly table: (
    title: string,
    heads: readonly string[],
    rows: readonly (readonly string[])[],
  ) => void;
  /** Says in one line what is going on; not part of the result. */
  readonly say: (line: string) => void;
  /** Keeps raw samples for whoever asked for them. */
  readonly keep: (name: string, samples: readonly number[]) => void;
}

export interface Kept {
  readonly samples: Record<string, readonly number[]>;
  readonly tables: {
    title: string;
    heads: readonly string[];
    rows: readonly (readonly string[])[];
  }[];
}

/** A bench that prints to stdout, says what goes on to stderr, and remembers everything. */
export function printingBench(services: Services, sizes: Sizes): { bench: Bench; kept: Kept } {
  const kept: Kept = { samples: {}, tables: [] };
  return {
    kept,
    bench: {
      services,
      sizes,
      table(title, heads, rows) {
        kept.tables.push({ title, heads, rows });
        process.stdout.write(`\n${title}\n\n${markdownTable(heads, rows)}\n`);
      },
      say: (line) => void process.stderr.write(`bench: ${line}\n`),
      keep(name, samples) {
        kept.samples[name] = samples;
      },
    },
  };
}
