import { StatsD } from "node-statsd";
import type { Logger } from "../../ports/logger.ts";
import type { Metrics } from "../../ports/metrics.ts";
import { hostAddress, type Lookup } from "./host-address.ts";

/** Numbers that may be on their way or wait for the first lookup; more are dropped. */
const MAX_IN_FLIGHT = 1_000;
const BETWEEN_WARNINGS_MS = 60_000;
/** How long the end waits for what is on its way. */
const END_WITHIN_MS = 200;

/** How tags are told: in DogStatsD's form, or, to servers that know none, as parts of the name. */
export type StatsdTags = "dogstatsd" | "names";

export interface StatsdOptions {
  readonly host: string;
  /** Default 8125. */
  readonly port?: number | undefined;
  /** Stands before every name, with a dot. Default `speckit`. */
  readonly prefix?: string | undefined;
  /** Default `dogstatsd`. */
  readonly tags?: StatsdTags | undefined;
  readonly logger: Logger;
  /** Default: the system's. */
  readonly lookup?: Lookup;
}

/**
 * Numbers as StatsD datagrams over UDP, one each, with their tags: `retries:1|c|#class:transient`, or
 * `retries.transient:1|c`, values in the order of the metrics' table. What cannot be sent is dropped: a closed port is never noticed, everything else is told in the log, at
 * most once a minute. Keeps no process alive.
 */
export function statsdMetrics(options: StatsdOptions): Metrics & AsyncDisposable {
  const { host, port = 8_125, prefix = "speckit", tags: form = "dogstatsd", logger } = options;
  const client = new StatsD({ port, prefix: `${prefix}.` });
  let warnAtMs = 0;
  const drop = (error: unknown): void => {
    if (performance.now() >= warnAtMs) {
      warnAtMs = performance.now() + BETWEEN_WARNINGS_MS;
      logger.warn("metrics not sent", { host, port, error: String(error) });
    }
  };
  // Without a listener a socket that cannot be bound would end the process.
  client.socket.on("error", drop);
  client.socket.unref();

  let inFlight = 0;
  let isClosed = false;
  let isEnded = false;
  let onIdle = (): void => undefined;
  const settled = (error?: unknown): void => {
    inFlight -= 1;
    if (error) {
      drop(error);
    }
    if (inFlight === 0) {
      onIdle();
    }
  };
  let waiting: (() => void)[] = [];
  const lookUp = hostAddress({
    host,
    lookup: options.lookup,
    onAnswer(known, error) {
      const sends = waiting;
      waiting = [];
      for (const send of sends) {
        if (known === undefined || isEnded) {
          settled(error);
        } else {
          client.host = known;
          send();
        }
      }
    },
  });

  const tell = (type: "c" | "ms" | "g", name: string, value: number, tags: object): void => {
    // node-statsd would send NaN as it is, and a negative gauge means a step down.
    if (isClosed || !Number.isFinite(value) || value < 0) {
      return;
    }
    if (inFlight >= MAX_IN_FLIGHT) {
      drop(`${MAX_IN_FLIGHT} are waiting already`);
      return;
    }
    const { address, isLooking } = lookUp();
    if (address === undefined && !isLooking) {
      return; // Told in the log when the lookup failed.
    }
    inFlight += 1;
    const send = (): void => {
      try {
        // By `send`: `increment` makes 1 of a count of 0.
        const told = form === "names" ? nameWith(name, tags) : name;
        client.send(told, value, type, undefined, form === "names" ? [] : tagList(tags), settled);
      } catch (error) {
        settled(error);
      }
    };
    if (address === undefined) {
      waiting.push(send);
    } else {
      client.host = address;
      send();
    }
  };

  return {
    count(name, tags, by = 1) {
      if (by !== 0) {
        tell("c", name, by, tags);
      }
    },
    timing: (name, ms, tags) => tell("ms", name, Math.round(ms), tags),
    gauge: (name, value, tags) => tell("g", name, value, tags),
    async [Symbol.asyncDispose]() {
      if (isClosed) {
        return;
      }
      isClosed = true;
      if (inFlight > 0) {
        const idle = Promise.withResolvers<void>();
        onIdle = idle.resolve;
        const timer = setTimeout(idle.resolve, END_WITHIN_MS);
        await idle.promise;
        clearTimeout(timer);
      }
      isEnded = true;
      client.close();
    },
  };
}

function tagList(tags: object): string[] {
  return Object.entries(tags).map(([name, value]) => `${name}:${harmless(value)}`);
}

function nameWith(name: string, tags: object): string {
  return [name, ...Object.values(tags).map(harmless)].join(".");
}

/** The characters that have a meaning in a datagram may not come with a value. */
function harmless(value: unknown): string {
  return String(value).replaceAll(/[\s:|@#,]/g, "_");
}
