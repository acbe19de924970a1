import { IGNORE_REASONS } from "../domain/delivery.ts";
import { ERROR_CODES, type ErrorCode } from "../domain/error-codes.ts";
import { FAILURE_CLASSES } from "../domain/failure.ts";
import { GATEWAY_REFUSALS } from "../domain/gateway-refusal.ts";
import { MODEL_PROVIDERS } from "../domain/model-provider.ts";
import { pipelineFor } from "../domain/phase.ts";
import { OUTCOMES } from "../domain/run-state.ts";
import { EGRESS_DENIALS } from "./egress.ts";

type MetricKind = "counter" | "timing" | "gauge";

export interface MetricFacts {
  readonly kind: MetricKind;
  /** What is counted or measured, and when, for the documented table. */
  readonly meaning: string;
  /** Every tag it carries, with all values that can have. */
  readonly tags: Readonly<Record<string, readonly string[]>>;
}

type Tag<Words extends string> = Words extends `${infer First} ${infer Rest}`
  ? `${First}_${Tag<Rest>}`
  : Words;

/** A tag's value from words of the domain: `the run is over` is told as `the_run_is_over`. */
export function tagOf<Words extends string>(words: Words): Tag<Words> {
  return words.replaceAll(" ", "_") as Tag<Words>;
}

const FORGOTTEN: readonly Tag<(typeof IGNORE_REASONS)[number]>[] = IGNORE_REASONS.map(tagOf);

/**
 * Every metric there is. Names and tag values are a closed set, so that a monitoring system is never
 * flooded with series: no run, branch or repository appears in them. `docs/metrics.md` is generated
 * from this table.
 */
export const METRICS = {
  requests: {
    kind: "counter",
    meaning: "A request came through the public door.",
    tags: { became: ["accepted", "known", "refused"] },
  },
  commands: {
    kind: "counter",
    meaning: "A command came through the public door.",
    tags: { became: ["taken", "refused"] },
  },
  wake_ups: {
    kind: "counter",
    meaning:
      "A wake-up was answered: its run was claimed, was in this worker's hands already, had an owner that may be dead and is asked for again, was sent to the workers of the engine that has its container or came back from there, or it was forgotten, for the reason told.",
    tags: {
      became: ["claimed", "in_hand", "asked_again", "sent_to_engine", "engine_busy", ...FORGOTTEN],
    },
  },
  takeovers: {
    kind: "counter",
    meaning: "A run was claimed whose owner had not given it back: it died, froze or was cut off.",
    tags: {},
  },
  leases_lost: {
    kind: "counter",
    meaning:
      "A worker gave up a run of its own: the database said that it is another's (refused), or said nothing until the lease could not be trusted any more (silence).",
    tags: { how: ["refused", "silence"] },
  },
  fenced_writes: {
    kind: "counter",
    meaning: "A write was refused because another worker owns the run; nothing was written.",
    tags: {},
  },
  renewals_failed: {
    kind: "counter",
    meaning: "A heartbeat could not renew the worker's leases; the next one tries again.",
    tags: {},
  },
  runs_in_hand: {
    kind: "gauge",
    meaning: "Runs this worker holds a lease on, told with every heartbeat.",
    tags: {},
  },
  sweeps: {
    kind: "counter",
    meaning: "The sweeper has looked for runs whose time had come.",
    tags: {},
  },
  runs_swept: {
    kind: "counter",
    meaning:
      "The sweeper found a run that nobody owned and whose time had come, and sent it a wake-up or (the start queue explains it, or the broker was away) did not.",
    tags: { became: ["woken", "left"] },
  },
  queue_wait_ms: {
    kind: "timing",
    meaning: "From a run's request to its first claim by a worker.",
    tags: {},
  },
  jobs_started: {
    kind: "counter",
    meaning: "An agent, or the command that adds Spec Kit, was about to be started.",
    tags: { runtime: ["container", "process"] },
  },
  phase_duration_ms: {
    kind: "timing",
    meaning: "A started phase came to an end, by the worker's clock.",
    tags: {
      phase: pipelineFor(),
      became: ["succeeded", "proposed", "failed", "interrupted", "moved", "cancelled"],
    },
  },
  retries: {
    kind: "counter",
    meaning: "A phase did not succeed and will be started again, at once or after a wait.",
    tags: { class: FAILURE_CLASSES },
  },
  cool_downs: {
    kind: "counter",
    meaning: "A run rests until its credential may be used again; each such rest counts.",
    tags: {},
  },
  pauses: {
    kind: "counter",
    meaning: "A run has open questions and waits for its answers.",
    tags: {},
  },
  cleanups: {
    kind: "counter",
    meaning:
      "A cleanup has closed its run (closed), could not do all of it and comes again (failed), or waits until the run's events are sent (unsent).",
    tags: { became: ["closed", "failed", "unsent"] },
  },
  runs_ended: {
    kind: "counter",
    meaning: "A run was closed, after its cleanup.",
    tags: { outcome: OUTCOMES },
  },
  run_duration_ms: {
    kind: "timing",
    meaning: "From a run's request to its outcome, waits included, told when it is closed.",
    tags: { outcome: OUTCOMES },
  },
  jobs_reaped: {
    kind: "counter",
    meaning: "A container that no open attempt explained was removed.",
    tags: {},
  },
  events_sent: {
    kind: "counter",
    meaning: "Events were published and confirmed; one may be counted twice, as it may be sent.",
    tags: {},
  },
  artifacts_deleted: {
    kind: "counter",
    meaning: "The artifacts of a run whose time was over were deleted from a state folder.",
    tags: {},
  },
  artifact_bytes_deleted: {
    kind: "counter",
    meaning: "Bytes of those artifacts.",
    tags: {},
  },
  runs_deleted: {
    kind: "counter",
    meaning: "A run's rows were deleted, their time being over.",
    tags: {},
  },
  state_free_bytes: {
    kind: "gauge",
    meaning: "Free space of the state folder's volume, told with every sweep.",
    tags: {},
  },
  intake_pauses: {
    kind: "counter",
    meaning: "A worker begins no new runs from now on: its state folder's volume is nearly full.",
    tags: {},
  },
  dead_letters: {
    kind: "counter",
    meaning: "A message was put into the dead-letter queue, by error code.",
    tags: { code: Object.keys(ERROR_CODES) as readonly ErrorCode[] },
  },
  model_calls: {
    kind: "counter",
    meaning:
      "A gateway has ended a call of an agent to its model; `refused` ones did not reach the provider.",
    tags: {
      provider: MODEL_PROVIDERS,
      became: ["completed", "failed", "cut", "hung", "refused"],
    },
  },
  model_calls_open: {
    kind: "gauge",
    meaning: "Calls of agents that a gateway has open, told with each that begins or ends.",
    tags: {},
  },
  model_tokens: {
    kind: "counter",
    meaning:
      "Tokens of ended calls, as their provider has told them; `input` has the cached ones too.",
    tags: { provider: MODEL_PROVIDERS, kind: ["input", "cached_input", "output"] },
  },
  key_rests: {
    kind: "counter",
    meaning:
      "A provider has asked a gateway to wait, or has refused its key: that key is not used for a while.",
    tags: { reason: ["rate_limited", "quota", "refused"] },
  },
  gateway_refusals: {
    kind: "counter",
    meaning:
      "A gateway has refused a request itself: a token that opens nothing, a way that leads nowhere, a request that cannot be read, a limit.",
    tags: { reason: GATEWAY_REFUSALS },
  },
  egress_requests: {
    kind: "counter",
    meaning:
      "An agent has asked a gateway for a way out: a tunnel was opened, or refused for the reason told.",
    tags: { became: ["passed", ...EGRESS_DENIALS] },
  },
  egress_bytes: {
    kind: "counter",
    meaning: "Bytes that went through tunnels of agents, told when each is closed.",
    tags: { way: ["up", "down"] },
  },
  egress_tunnels_open: {
    kind: "gauge",
    meaning: "Tunnels of agents that a gateway has open, told with each that opens or closes.",
    tags: {},
  },
} as const satisfies Readonly<Record<string, MetricFacts>>;

export type MetricName = keyof typeof METRICS;
type Named<Kind extends MetricKind> = {
  [Name in MetricName]: (typeof METRICS)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];
export type CounterName = Named<"counter">;
export type TimingName = Named<"timing">;
export type GaugeName = Named<"gauge">;

/** The tags of one metric, each with one of its values. */
export type MetricTags<Name extends MetricName> = {
  readonly [T in keyof (typeof METRICS)[Name]["tags"]]: (typeof METRICS)[Name]["tags"][T] extends readonly (infer Value)[]
    ? Value
    : never;
};

/**
 * Where numbers about the work go. Telling one never throws, waits for nothing and costs next to
 * nothing, whatever becomes of it: a number may get lost, a run may not. A worker that is killed
 * takes along what it was about to tell.
 */
export interface Metrics {
  /** @param by a whole number, default 1; nothing is told of 0 */
  readonly count: <Name extends CounterName>(
    name: Name,
    tags: MetricTags<Name>,
    by?: number,
  ) => void;
  /** @param ms rounded to whole milliseconds */
  readonly timing: <Name extends TimingName>(
    name: Name,
    ms: number,
    tags: MetricTags<Name>,
  ) => void;
  /** @param value 0 or more; stands until the next one */
  readonly gauge: <Name extends GaugeName>(
    name: Name,
    value: number,
    tags: MetricTags<Name>,
  ) => void;
}
