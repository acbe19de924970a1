import type { CloudEvent } from "../../../contract/run-event.ts";
import type { WakeUp } from "../../../contract/wake-up.ts";
import type { Failure } from "../../../domain/failure.ts";
import type { Reply, RequestDelivery, WakeUpRoute } from "../../../ports/transport.ts";
import type { Timers } from "../timers.ts";

export type BrokerQueue = "work" | "start" | "requests";

/** A message in the broker. Identity is by object: a duplicate is another one. */
export type BrokerMessage =
  | { readonly queue: "work" | "start"; readonly wakeUp: WakeUp }
  | { readonly queue: "requests"; readonly request: RequestDelivery };

export interface BrokerDelivery {
  readonly tag: number;
  readonly message: BrokerMessage;
  /** It was with somebody before who did not ack it. */
  readonly isRedelivered: boolean;
}

/** What a client hears from its connection. */
export interface BrokerListener {
  readonly deliver: (delivery: BrokerDelivery) => void;
  /** Somebody tells every consumer to look at a run. */
  readonly hint: (runId: string) => void;
  /** The broker has closed the connection: everything unacked is with others again. */
  readonly closed: () => void;
}

/** A client's connection. Every promise resolves when the broker has confirmed. */
export interface BrokerConnection {
  readonly publishWakeUp: (wakeUp: WakeUp, route: WakeUpRoute) => Promise<void>;
  readonly publishHint: (runId: string) => Promise<void>;
  readonly publishEvent: (event: CloudEvent) => Promise<void>;
  readonly publishReply: (
    replyTo: string,
    correlationId: string | undefined,
    body: Reply,
  ) => Promise<void>;
  readonly bury: (request: RequestDelivery, failure: Failure) => Promise<void>;
  /** As many unacked wake-ups as there are slots; of runs never claimed, if any are wanted, only while one is left. */
  readonly consume: (slots: number, takesNew: boolean) => void;
  /** No delivery from now on; those that are out can still be acked. */
  readonly cancel: () => void;
  readonly ack: (tag: number) => void;
  /** Wake-ups in the start queue that nobody has. */
  readonly startBacklog: () => Promise<number>;
  /** What is unacked goes back to its queue. */
  readonly close: () => void;
}

/** What can be seen in the broker, and done to it. */
export interface MemoryBroker {
  readonly connect: (listener: BrokerListener) => BrokerConnection;
  readonly sendRequest: (request: RequestDelivery) => void;
  /** Wake-ups by where they are: waiting, with a client, or delayed. */
  readonly wakeUps: () => readonly {
    readonly wakeUp: WakeUp;
    readonly where: "ready" | "unacked" | "delayed";
  }[];
  readonly waiting: (queue: BrokerQueue) => number;
  /** All messages that are not with a client and not delayed, to be reordered, doubled or taken away in place. */
  readonly queues: Readonly<Record<BrokerQueue, BrokerEntry[]>>;
  readonly delayed: ReadonlySet<Delayed>;
  /** Hands out what can be handed out: after each change of {@link queues}. */
  readonly dispatch: () => void;
  /** Closes a client's connection from this side. */
  readonly drop: (connection: BrokerConnection) => void;
  /** The broker's data is gone, and every connection with it. */
  readonly wipe: () => void;
  readonly onEvent: (listener: (event: CloudEvent) => void) => void;
  readonly replies: readonly {
    readonly replyTo: string;
    readonly correlationId: string | undefined;
    readonly body: Reply;
  }[];
  readonly dead: readonly { readonly request: RequestDelivery; readonly failure: Failure }[];
}

export interface BrokerEntry {
  readonly message: BrokerMessage;
  readonly isRedelivered: boolean;
}

export interface Delayed {
  readonly wakeUp: WakeUp;
  /** Brings it to its queue now. */
  readonly release: () => void;
}

/** Requests a client may have unacked at once. */
const REQUESTS_AT_ONCE = 10;

interface Client {
  readonly listener: BrokerListener;
  readonly unacked: Map<number, BrokerEntry>;
  slots: number;
  takesNew: boolean;
  isOpen: boolean;
}

/** A broker of queues in memory: at least once, with acks, redelivery and delays in the time it is given. */
export function memoryBroker(timers: Timers): MemoryBroker {
  const queues: Record<BrokerQueue, BrokerEntry[]> = { work: [], start: [], requests: [] };
  const delayed = new Set<Delayed & { readonly cancel: () => void }>();
  const clients = new Map<BrokerConnection, Client>();
  const eventListeners: ((event: CloudEvent) => void)[] = [];
  const replies: MemoryBroker["replies"][number][] = [];
  const dead: MemoryBroker["dead"][number][] = [];
  let lastTag = 0;
  let turn = 0;

  function add(message: BrokerMessage): void {
    queues[message.queue].push({ message, isRedelivered: false });
    dispatch();
  }

  function unackedOf({ unacked }: Client, queue: BrokerQueue): number {
    let count = 0;
    for (const entry of unacked.values()) {
      count += entry.message.queue === queue ? 1 : 0;
    }
    return count;
  }

  function wants(client: Client, queue: BrokerQueue): boolean {
    if (client.slots === 0) {
      return false;
    }
    switch (queue) {
      case "work":
        return unackedOf(client, "work") < client.slots;
      case "start":
        return (
          client.takesNew && unackedOf(client, "work") + unackedOf(client, "start") < client.slots
        );
      case "requests":
        return unackedOf(client, "requests") < REQUESTS_AT_ONCE;
    }
  }

  function nextTaker(queue: BrokerQueue): Client | undefined {
    const all = [...clients.values()];
    for (let ix = 0; ix < all.length; ix += 1) {
      const client = all[(turn + ix) % all.length];
      if (client !== undefined && wants(client, queue)) {
        turn += ix + 1;
        return client;
      }
    }
    return undefined;
  }

  function dispatch(): void {
    for (const queue of ["work", "start", "requests"] as const) {
      while (queues[queue].length > 0) {
        const client = nextTaker(queue);
        if (client === undefined) {
          break;
        }
        const entry = queues[queue].shift();
        if (entry !== undefined) {
          lastTag += 1;
          client.unacked.set(lastTag, entry);
          client.listener.deliver({ tag: lastTag, ...entry });
        }
      }
    }
  }

  function end(connection: BrokerConnection, { isHeard }: { readonly isHeard: boolean }): void {
    const client = clients.get(connection);
    if (client === undefined) {
      return;
    }
    clients.delete(connection);
    client.isOpen = false;
    for (const { message } of [...client.unacked.values()].reverse()) {
      queues[message.queue].unshift({ message, isRedelivered: true });
    }
    client.unacked.clear();
    if (isHeard) {
      client.listener.closed();
    }
    dispatch();
  }

  function delay(wakeUp: WakeUp, ms: number): void {
    const release = (): void => {
      entry.cancel();
      if (delayed.delete(entry)) {
        add({ queue: "work", wakeUp });
      }
    };
    const entry = { wakeUp, release, cancel: timers.after(ms, release) };
    delayed.add(entry);
  }

  return {
    connect(listener) {
      const client: Client = {
        listener,
        unacked: new Map(),
        slots: 0,
        takesNew: true,
        isOpen: true,
      };
      const open = (): void => {
        if (!client.isOpen) {
          throw new Error("the connection is closed");
        }
      };
      const connection: BrokerConnection = {
        publishWakeUp: async (wakeUp, route) => {
          open();
          if ("afterMs" in route) {
            delay(wakeUp, route.afterMs);
          } else {
            // An engine's own queue is one of no time here: what is in it is for any worker at once.
            add({ queue: route.to === "engine" ? "work" : route.to, wakeUp });
          }
        },
        publishHint: async (runId) => {
          open();
          for (const { slots, listener: other } of clients.values()) {
            if (slots > 0) {
              other.hint(runId);
            }
          }
        },
        publishEvent: async (event) => {
          open();
          for (const hear of eventListeners) {
            hear(event);
          }
        },
        publishReply: async (replyTo, correlationId, body) => {
          open();
          replies.push({ replyTo, correlationId, body });
        },
        bury: async (request, failure) => {
          open();
          dead.push({ request, failure });
        },
        consume(slots, takesNew) {
          client.slots = slots;
          client.takesNew = takesNew;
          dispatch();
        },
        cancel() {
          client.slots = 0;
        },
        ack(tag) {
          client.unacked.delete(tag);
          dispatch();
        },
        startBacklog: async () => {
          open();
          return queues.start.length;
        },
        close: () => end(connection, { isHeard: false }),
      };
      clients.set(connection, client);
      return connection;
    },
    sendRequest: (request) => add({ queue: "requests", request }),
    wakeUps: () => {
      const of = (entries: Iterable<BrokerEntry>, where: "ready" | "unacked") =>
        [...entries].flatMap(({ message }) =>
          message.queue === "requests" ? [] : [{ wakeUp: message.wakeUp, where }],
        );
      return [
        ...of(queues.work, "ready"),
        ...of(queues.start, "ready"),
        ...[...clients.values()].flatMap(({ unacked }) => of(unacked.values(), "unacked")),
        ...[...delayed].map(({ wakeUp }) => ({ wakeUp, where: "delayed" as const })),
      ];
    },
    waiting: (queue) => queues[queue].length,
    queues,
    delayed,
    dispatch,
    drop: (connection) => end(connection, { isHeard: true }),
    wipe() {
      for (const connection of [...clients.keys()]) {
        end(connection, { isHeard: true });
      }
      for (const entry of delayed) {
        entry.cancel();
      }
      delayed.clear();
      for (const queue of Object.values(queues)) {
        queue.length = 0;
      }
    },
    onEvent: (listener) => void eventListeners.push(listener),
    replies,
    dead,
  };
}
