import { z } from "zod";
import { FAILURE_CLASSES } from "../domain/failure.ts";
import { LEFT_BY_PEOPLE } from "../domain/left-by-people.ts";
import { PHASES } from "../domain/phase.ts";
import { WAITS } from "../domain/wait.ts";

/** The mission's goal: so many of a hundred runs end within their time. */
export const SLO_PERCENT = 95;

const count = z.int().min(0);
const spread = z.object({
  count: count.meta({ description: "how many were measured" }),
  p50Ms: count.nullable().meta({ description: "half took at most so long; null: none" }),
  p95Ms: count.nullable().meta({ description: "95 % took at most so long; null: none" }),
});
const within = z.object({
  runs: count.meta({ description: "of the counted runs" }),
  share: z.number().min(0).max(1).nullable().meta({ description: "null: none was counted" }),
});
const consumption = z.object({
  runs: count.meta({ description: "ended in the period" }),
  inputTokens: count.meta({ description: "cached ones included" }),
  cachedInputTokens: count,
  outputTokens: count,
  costUsd: z.number().meta({ description: "of the attempts whose cost is known" }),
  attemptsWithoutCost: count.meta({ description: "used tokens at a price that is not known" }),
});

/** What `speckit stats --json` prints and `GET /v1/stats` answers. */
export const statisticsSchema = z.object({
  asOf: z.iso.datetime().meta({ description: "by the database's clock" }),
  since: z.iso.datetime().meta({ description: "begin of the period; it ends with `asOf`" }),
  repository: z.string().nullable().meta({ description: "of these runs alone; null: of all" }),
  days: z
    .array(
      z.object({
        day: z.iso.date().meta({ description: "UTC" }),
        submitted: count.meta({ description: "runs stored that day" }),
        succeeded: count.meta({ description: "runs that ended so that day; the others likewise" }),
        no_changes: count,
        failed: count,
        cancelled: count,
      }),
    )
    .readonly()
    .meta({ description: "every day of the period, also those without runs" }),
  slo: z.object({
    targetMs: z.int().min(1),
    goal: z.number().meta({ description: "the share that should be within the target" }),
    counted: count.meta({
      description: `ended runs, without those that people ended or left: cancelled, or failed with ${LEFT_BY_PEOPLE.join(" or ")}`,
    }),
    failed: count.meta({ description: "of the counted; never within, however quick" }),
    working: within.meta({ description: "a phase was open; what decides whether the goal is met" }),
    wall: within.meta({ description: "from the request to the end, all waiting included" }),
    isMet: z.boolean().nullable().meta({ description: "null: none was counted" }),
  }),
  phases: z
    .array(spread.extend({ phase: z.enum(PHASES) }))
    .readonly()
    .meta({ description: "durations of attempts that succeeded, in the phases' order" }),
  workingTime: spread.meta({ description: "per counted run, all attempts together" }),
  wallTime: spread.meta({ description: "per counted run" }),
  queueWait: spread.meta({ description: "from the request to the first claim" }),
  failures: z
    .array(
      z.object({
        code: z.string().meta({ description: "one of docs/errors.md" }),
        class: z.enum(FAILURE_CLASSES),
        attempts: count.meta({ description: "that ended with it" }),
        retried: count.meta({ description: "of them, followed by another start of the phase" }),
        runs: count.meta({ description: "that failed with it" }),
      }),
    )
    .readonly()
    .meta({ description: "most frequent first" }),
  usage: z.object({
    total: consumption,
    byRepository: z
      .array(consumption.extend({ repository: z.string() }))
      .readonly()
      .meta({ description: "the 50 that used most tokens, most first" }),
    byAgent: z
      .array(consumption.extend({ agent: z.string() }))
      .readonly()
      .meta({ description: "the same, by backend" }),
  }),
  live: z.object({
    carried: count.meta({ description: "a worker has them now" }),
    waiting: z
      .array(z.object({ for: z.enum(WAITS), runs: count, oldest: z.iso.datetime() }))
      .readonly()
      .meta({ description: "by what they wait for; `oldest`: when the oldest was stored" }),
  }),
});
export type RunStatistics = z.infer<typeof statisticsSchema>;
