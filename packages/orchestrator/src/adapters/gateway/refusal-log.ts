import type { GatewayRefusal } from "../../domain/gateway-refusal.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EgressDenial } from "../../ports/egress.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";

/** What is told of a refusal. Its kind and whom it was told to make it one of many of the same. */
export type RefusalFields = Partial<JobName> & {
  readonly refusal: GatewayRefusal | EgressDenial;
  readonly [field: string]: unknown;
};

/** Tells a refusal in the log, or counts it with those that were told. */
export type RefusalLog = (level: "info" | "warn", message: string, fields: RefusalFields) => void;

/** Attempts are named by tokens that nobody has signed too: what is beyond so many kinds is told as one. */
const MAX_KINDS = 500;
const FORGET_MS = 3_600_000;

/**
 * Keeps an agent from filling the log: it may be refused as often as it likes. Of each kind and attempt
 * the first refusal is told, then the 10th, the 100th and so on, with `times`. After an hour that begins
 * anew. Metrics count each.
 */
export function refusalLog(logger: Logger, clock: Pick<Clock, "monotonicMs">): RefusalLog {
  let told = new Map<string, number>();
  let sinceMs = clock.monotonicMs();
  return (level, message, fields) => {
    if (clock.monotonicMs() - sinceMs >= FORGET_MS) {
      told = new Map();
      sinceMs = clock.monotonicMs();
    }
    const { refusal, runId, phase, attempt } = fields;
    const own = [message, refusal, runId, phase, attempt].join(" ");
    const kind = told.has(own) || told.size < MAX_KINDS ? own : `${message} ${refusal}`;
    const times = (told.get(kind) ?? 0) + 1;
    told.set(kind, times);
    if (/^10*$/.test(String(times))) {
      logger[level](message, times === 1 ? fields : { ...fields, times });
    }
  };
}
