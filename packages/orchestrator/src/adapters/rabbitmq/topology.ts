import { RETRY_TIERS_MS, type RetryTierMs } from "../../domain/retry-policy.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";

/** One exchange; all are durable. */
export interface ExchangeSpec {
  readonly name: string;
  readonly type: "direct" | "fanout" | "topic";
  readonly purpose: string;
}

/** One queue; all are durable quorum queues. */
export interface QueueSpec {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number>>;
  readonly purpose: string;
}

export interface BindingSpec {
  readonly exchange: string;
  readonly key: string;
  readonly queue: string;
}

export interface Topology {
  readonly exchanges: readonly ExchangeSpec[];
  readonly queues: readonly QueueSpec[];
  readonly bindings: readonly BindingSpec[];
}

/** Routing keys of the exchanges `<prefix>.requests` and `<prefix>.work`. */
export const ROUTING_KEYS = {
  request: "run.request",
  command: "run.command",
  start: "start",
  wake: "wake",
  engine: (engineId: string) => `wake.${engineId}`,
} as const;

/** How long a wake-up waits for the workers of its engine; then any worker gets to see it. */
const ENGINE_TTL_MS = 30_000;
/** An engine's queue that nobody has consumed for so long is removed by the broker. */
const ENGINE_QUEUE_UNUSED_MS = 3_600_000;

const TIER_NAMES: Readonly<Record<RetryTierMs, string>> = {
  5000: "5s",
  30000: "30s",
  120000: "2m",
  600000: "10m",
  1800000: "30m",
};

/** Names of everything that is published to or consumed from. */
export function namesOf(prefix: string) {
  return {
    requests: `${prefix}.requests`,
    /** The exchange of wake-ups, and the queue of those that are not a run's first. */
    work: `${prefix}.work`,
    start: `${prefix}.start`,
    control: `${prefix}.control`,
    events: `${prefix}.events`,
    dead: `${prefix}.dead`,
    engine: (engineId: string) => `${prefix}.work.${engineId}`,
    retry: (tierMs: RetryTierMs) => `${prefix}.retry.${TIER_NAMES[tierMs]}`,
  } as const;
}

/**
 * Everything speckit declares at the broker, as data: the documentation's table comes from here.
 *
 * Arguments never change under a name: RabbitMQ refuses a declaration that differs from what is
 * there (406). A change needs a new name.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` for a prefix that cannot begin a name
 */
export function topologyOf(prefix: string): Topology {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(prefix)) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `The name prefix at the broker is ${JSON.stringify(prefix.slice(0, 120))}, expected letters, digits, '.', '_' and '-', at most 100`,
    );
  }
  const names = namesOf(prefix);
  const kept = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": names.dead,
    // A dead-lettered message leaves its queue only when the next one has it, and a full queue
    // refuses the publisher instead of dropping its oldest message.
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
    // Deliveries, not tries: a message that ends twenty workers is kept away from the rest.
    "x-delivery-limit": 20,
  };
  const tiers = RETRY_TIERS_MS.map((tierMs) => ({ name: names.retry(tierMs), tierMs }));
  return {
    exchanges: [
      { name: names.requests, type: "direct", purpose: "The public door" },
      { name: names.work, type: "direct", purpose: "Wake-ups: look at this run" },
      ...tiers.map(({ name, tierMs }) => ({
        name,
        type: "fanout" as const,
        purpose: `Wake-ups to come in ${tierMs / 1000} s`,
      })),
      {
        name: names.control,
        type: "fanout",
        purpose: "Hints to owners; each worker has an exclusive queue of its own",
      },
      { name: names.events, type: "topic", purpose: "Events; consumers bring their own queues" },
      { name: names.dead, type: "topic", purpose: "What was rejected, with the reason in headers" },
    ],
    queues: [
      { name: names.requests, arguments: kept, purpose: "Requests not yet stored" },
      { name: names.start, arguments: kept, purpose: "Runs never claimed" },
      { name: names.work, arguments: kept, purpose: "All other runs" },
      ...tiers.map(({ name, tierMs }) => ({
        name,
        arguments: {
          "x-queue-type": "quorum",
          "x-message-ttl": tierMs,
          // The routing key is kept, so that each message goes back to where it was meant for.
          "x-dead-letter-exchange": names.work,
          "x-dead-letter-strategy": "at-least-once",
          "x-overflow": "reject-publish",
        },
        purpose: `Waits ${tierMs / 1000} s, then goes to ${names.work}`,
      })),
      {
        name: names.dead,
        arguments: { "x-queue-type": "quorum" },
        purpose: "Kept until somebody looks",
      },
    ],
    bindings: [
      { exchange: names.requests, key: ROUTING_KEYS.request, queue: names.requests },
      { exchange: names.requests, key: ROUTING_KEYS.command, queue: names.requests },
      { exchange: names.work, key: ROUTING_KEYS.start, queue: names.start },
      { exchange: names.work, key: ROUTING_KEYS.wake, queue: names.work },
      ...tiers.map(({ name }) => ({ exchange: name, key: "", queue: name })),
      { exchange: names.dead, key: "#", queue: names.dead },
    ],
  };
}

/**
 * What a worker of an engine declares besides. A wake-up in its queue is for a container that is on that
 * engine; that it leaves by its time says that nobody had a moment, not that the engine is lost.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` for an id that cannot end a name
 */
export function engineTopologyOf(prefix: string, engineId: string): Topology {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(engineId)) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `The engine's id is ${JSON.stringify(engineId.slice(0, 120))}, expected letters, digits, '.', '_' and '-', at most 100`,
    );
  }
  const names = namesOf(prefix);
  const queue = names.engine(engineId);
  return {
    exchanges: [],
    queues: [
      {
        name: queue,
        arguments: {
          "x-queue-type": "quorum",
          "x-message-ttl": ENGINE_TTL_MS,
          "x-expires": ENGINE_QUEUE_UNUSED_MS,
          "x-dead-letter-exchange": names.work,
          "x-dead-letter-routing-key": ROUTING_KEYS.wake,
          "x-dead-letter-strategy": "at-least-once",
          "x-overflow": "reject-publish",
        },
        purpose: `Runs whose container is on one engine: for its workers, ${ENGINE_TTL_MS / 1000} s, then for any; removed when unused for an hour`,
      },
    ],
    bindings: [{ exchange: names.work, key: ROUTING_KEYS.engine(engineId), queue }],
  };
}

/** The part of a topology a requester needs: the public door, and where what it refuses is kept. */
export function publicDoorOf(topology: Topology, prefix: string): Topology {
  const { requests, dead } = namesOf(prefix);
  const isDoor = (name: string) => name === requests || name === dead;
  return {
    exchanges: topology.exchanges.filter(({ name }) => isDoor(name)),
    queues: topology.queues.filter(({ name }) => isDoor(name)),
    bindings: topology.bindings.filter(({ exchange }) => isDoor(exchange)),
  };
}
