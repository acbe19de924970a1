import type { CommandResult } from "../contract/run-command.ts";
import type { CloudEvent } from "../contract/run-event.ts";
import type { RunRejected, RunResult } from "../contract/run-result.ts";
import type { WakeUp } from "../contract/wake-up.ts";
import type { Failure } from "../domain/failure.ts";
import type { RetryTierMs } from "../domain/retry-policy.ts";

/**
 * Where a wake-up goes: to the queue of runs never claimed, to the queue of all others, or to the latter
 * after a delay; or to the workers of one engine. What those do not take within half a minute comes to
 * `work`; where there is no queue of that engine, it goes nowhere.
 */
export type WakeUpRoute =
  | { readonly to: "start" | "work" }
  | { readonly to: "engine"; readonly engineId: string }
  | { readonly to: "work"; readonly afterMs: RetryTierMs };

/** What the transport must do with a delivery. It is acked only after the publish is confirmed. */
export type DeliveryVerdict =
  | { readonly do: "ack" }
  | { readonly do: "publish_and_ack"; readonly wakeUp: WakeUp; readonly route: WakeUpRoute }
  /** Neither ack nor nack: the delivery goes back when the channel closes. Only while stopping. */
  | { readonly do: "leave" };

/** What a reply carries: where a run stands, or what became of a request or a command. */
export type Reply = RunResult | RunRejected | CommandResult;

/** A request or a command as it came through the public door. */
export interface RequestDelivery {
  /** By its routing key. */
  readonly kind: "request" | "command";
  readonly body: Uint8Array;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
}

export type RequestVerdict =
  | { readonly do: "ack" }
  /** Keep the message in the dead-letter queue with the reason; `body` in the place of what came, if given. */
  | { readonly do: "dead_letter"; readonly failure: Failure; readonly body?: Uint8Array }
  /** Neither ack nor nack: the request goes back when the channel closes. Only while stopping. */
  | { readonly do: "leave" };

export interface WakeUpDelivery {
  /** Whoever had this delivery before is gone, or gave it back. */
  readonly isRedelivered: boolean;
  /**
   * It takes no slot: it came over the engine's own queue, for a container that is there already. What
   * else there is to do for its run is left to a delivery with a slot.
   */
  readonly isExtra?: boolean;
}

export interface TransportHandlers {
  /**
   * Carries a run as far as it goes under this delivery; may take as long as the hold. Does not
   * throw: what a handler throws is a bug, logged, and the delivery is acked (the row carries on).
   */
  readonly onWakeUp: (wakeUp: WakeUp, delivery: WakeUpDelivery) => Promise<DeliveryVerdict>;
  /**
   * Something about this run has changed that its owner should look at; everybody hears it, and
   * anybody may miss it. Must not throw. Default: hints are not heard.
   */
  readonly onHint?: (runId: string) => void;
  /**
   * What is passed on in the place of a wake-up that finds no free slot here; by default itself. That
   * a delivery is a repeated one may be all there is to tell that the run's owner is dead, and it
   * does not outlive being passed on. When this rejects, the wake-up is passed on as it came.
   */
  readonly onPassedOn?: (
    wakeUp: WakeUp,
    delivery: { readonly isRedelivered: boolean },
  ) => Promise<WakeUp>;
  /** Resolves when the request is stored or refused; keeps trying while the database is away. */
  readonly onRequest: (request: RequestDelivery) => Promise<RequestVerdict>;
}

export interface Consumption {
  /** Takes nothing new from now on; what is in hand goes on to its verdict. Resolves when all are settled. */
  readonly stop: () => Promise<void>;
}

/** What a transport's connections are doing, for readiness and for "waiting for …" lines. */
export interface TransportHealth {
  readonly connected: boolean;
  /** For people, without credentials, for example `RabbitMQ at localhost:5672`. */
  readonly description: string;
}

/**
 * Carries wake-ups, requests, events and replies. Holds no truth: losing everything in it costs
 * time, never a run.
 */
export interface Transport extends AsyncDisposable {
  /** Resolves when the message is safe (confirmed and routed). @throws SpeckitError `BROKER_UNAVAILABLE` */
  readonly publishWakeUp: (wakeUp: WakeUp, route: WakeUpRoute) => Promise<void>;
  /** Tells every worker to look at a run now. May be lost without a sign: only ever shortens a wait. */
  readonly publishHint: (runId: string) => Promise<void>;
  /** Resolves when confirmed; nobody listening is fine. The routing key is the type without `speckit.`. */
  readonly publishEvent: (event: CloudEvent) => Promise<void>;
  /** Resolves when confirmed; a reply queue that is gone is fine. */
  readonly publishReply: (
    replyTo: string,
    correlationId: string | undefined,
    body: Reply,
  ) => Promise<void>;
  /**
   * Starts consuming. At most `slots` wake-up handlers run at once; runs never claimed are taken
   * only while a slot is free, so continuations never queue behind a backlog. With `engineId` the
   * engine's own queue is consumed as well, beyond the slots.
   */
  readonly consume: (
    handlers: TransportHandlers,
    options: { readonly slots: number; readonly engineId?: string | undefined },
  ) => Promise<Consumption>;
  /** Wake-ups of runs never claimed that nobody has taken yet; 0 when it cannot be told. */
  readonly startBacklog: () => Promise<number>;
  readonly health: () => TransportHealth;
}
