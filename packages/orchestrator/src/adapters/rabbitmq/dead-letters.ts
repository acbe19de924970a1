import amqp, { type ConfirmChannel, type GetMessage } from "amqplib";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { brokerAddress } from "./broker-address.ts";
import { translateBrokerError } from "./broker-errors.ts";
import { closeSurely } from "./close-surely.ts";
import { DEAD_HEADERS } from "./dead-letter.ts";
import { namesOf, ROUTING_KEYS } from "./topology.ts";

/**
 * Copies wait for their confirms together: in a queue of thousands one after the other takes minutes.
 * Not more, since RabbitMQ settles each message that was asked for by itself, has 32 of those under way
 * (3.10.8) and forgets the rest when the channel is closed: they would be there twice.
 */
const AT_ONCE = 16;

/** A message that was refused, or that no worker could read, with the reason. */
export interface DeadLetter {
  readonly id: string;
  readonly code: string;
  readonly reason: string;
  /** The queue it came from. */
  readonly queue: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
}

/**
 * What people do with the dead-letter queue. Looking takes each message off the front and puts a
 * copy at the back, confirmed, before it is acked: a look that only gave messages back would be
 * counted as a failed delivery, and newer brokers drop a message after twenty of those. A look that
 * is cut in the middle leaves at most sixteen messages twice, under the same ids.
 */
export interface DeadLetters extends AsyncDisposable {
  /** Oldest first, at most `limit`. */
  readonly list: (limit: number) => Promise<readonly DeadLetter[]>;
  readonly find: (id: string) => Promise<DeadLetter | undefined>;
  /**
   * Sends a message to where it was meant for again, and removes it here.
   *
   * @param body a corrected one; default: as it was
   * @returns false when there is no such message
   */
  readonly replay: (id: string, body?: Uint8Array) => Promise<boolean>;
}

/** @throws SpeckitError `BROKER_UNAVAILABLE`, `SERVICE_REFUSED` or `CONFIGURATION_INVALID` */
export async function openDeadLetters(options: {
  readonly url: string;
  readonly prefix?: string | undefined;
}): Promise<DeadLetters> {
  const { url, description } = brokerAddress(options.url);
  const names = namesOf(options.prefix ?? "speckit");
  const broken = (cause: unknown) => translateBrokerError(cause, description);
  const connection = await amqp.connect(url, { noDelay: true, timeout: 10_000 }).catch((cause) => {
    throw broken(cause);
  });
  // What ends the connection also fails the call that was made on it.
  connection.on("error", () => {});
  const channel = await connection.createConfirmChannel();
  channel.on("error", () => {});
  // Each copy under way listens for its return.
  channel.setMaxListeners(AT_ONCE + 10);

  async function take(count: number): Promise<readonly GetMessage[]> {
    const taken: GetMessage[] = [];
    while (taken.length < count) {
      const message = await channel.get(names.dead, { noAck: false });
      if (message === false) {
        break;
      }
      taken.push(message);
    }
    return taken;
  }

  /** Visits each message that was there at the start; what `visit` does not take (true) goes to the back. */
  async function walk(visit: (letter: DeadLetter, message: GetMessage) => Promise<boolean>) {
    try {
      let { messageCount: left } = await channel.checkQueue(names.dead);
      while (left > 0) {
        const messages = await take(Math.min(left, AT_ONCE));
        const last = messages.at(-1);
        if (last === undefined) {
          return;
        }
        left -= messages.length;
        const copies: Promise<void>[] = [];
        for (const message of messages) {
          if (!(await visit(letterOf(message), message))) {
            const { routingKey } = message.fields;
            const copy = publish(channel, names.dead, routingKey, message, message.content);
            copy.catch(() => {});
            copies.push(copy);
          }
        }
        await Promise.all(copies);
        channel.ack(last, true);
      }
    } catch (cause) {
      throw broken(cause);
    }
  }

  return {
    async list(limit) {
      const letters: DeadLetter[] = [];
      // To the end also when there are more: the order of the queue stays as it was.
      await walk(async (letter) => {
        letters.push(letter);
        return false;
      });
      return letters.slice(0, limit);
    },
    async find(id) {
      let found: DeadLetter | undefined;
      await walk(async (letter) => {
        found = letter.id === id ? letter : found;
        return false;
      });
      return found;
    },
    async replay(id, body) {
      let isReplayed = false;
      await walk(async (letter, message) => {
        if (isReplayed || letter.id !== id) {
          return false;
        }
        const { exchange, routingKey } = wayBack(letter, names);
        await publish(
          channel,
          exchange,
          routingKey,
          withoutReason(message),
          body ?? message.content,
        );
        isReplayed = true;
        return true;
      });
      return isReplayed;
    },
    async [Symbol.asyncDispose]() {
      // The channel first: a connection's close may overtake the acks of its channels.
      await closeSurely(channel).catch(() => {});
      await closeSurely(connection).catch(() => {});
    },
  };
}

function letterOf({ content, fields, properties }: GetMessage): DeadLetter {
  const header = (name: string): string => String(properties.headers?.[name] ?? "");
  // What the broker itself has dead-lettered, after too many deliveries, has none of our headers.
  const [death] = (properties.headers?.["x-death"] ?? []) as readonly {
    queue?: string;
    reason?: string;
  }[];
  return {
    id: header(DEAD_HEADERS.id) || String(properties.messageId ?? ""),
    code: header(DEAD_HEADERS.code) || String(death?.reason ?? "unknown").toUpperCase(),
    reason: header(DEAD_HEADERS.reason) || "dead-lettered by the broker",
    queue: header(DEAD_HEADERS.queue) || String(death?.queue ?? ""),
    routingKey: fields.routingKey,
    body: content,
  };
}

/**
 * Back into the queue it came from. A sender may have put it there by another key, past our
 * exchanges (the broker's default exchange takes a queue's name): that key leads nowhere.
 */
function wayBack(
  { queue, routingKey }: DeadLetter,
  names: ReturnType<typeof namesOf>,
): { readonly exchange: string; readonly routingKey: string } {
  if (queue === names.requests) {
    const isKnown = routingKey === ROUTING_KEYS.request || routingKey === ROUTING_KEYS.command;
    return { exchange: names.requests, routingKey: isKnown ? routingKey : ROUTING_KEYS.request };
  }
  const toStart = queue === names.start;
  return { exchange: names.work, routingKey: toStart ? ROUTING_KEYS.start : ROUTING_KEYS.wake };
}

/** A replayed message says no more why it was refused. */
function withoutReason({ properties, ...message }: GetMessage): GetMessage {
  const ours: readonly string[] = Object.values(DEAD_HEADERS);
  const headers = Object.entries(properties.headers ?? {}).filter(([name]) => !ours.includes(name));
  return { ...message, properties: { ...properties, headers: Object.fromEntries(headers) } };
}

/** Resolves when the copy is confirmed and has reached a queue. */
async function publish(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  { properties }: GetMessage,
  body: Uint8Array,
): Promise<void> {
  const returned = Promise.withResolvers<never>();
  returned.promise.catch(() => {});
  const onReturn = () =>
    returned.reject(
      new SpeckitError("BROKER_UNAVAILABLE", `${exchange} has no queue for the key ${routingKey}`),
    );
  channel.once("return", onReturn);
  try {
    const confirmed = new Promise<void>((resolve, reject) => {
      const { headers, contentType, correlationId, replyTo, messageId } = properties;
      channel.publish(
        exchange,
        routingKey,
        Buffer.from(body),
        {
          headers,
          contentType,
          correlationId,
          replyTo,
          messageId,
          persistent: true,
          mandatory: true,
        },
        (error) => (error ? reject(error) : resolve()),
      );
    });
    await Promise.race([returned.promise, confirmed]);
  } finally {
    channel.off("return", onReturn);
  }
}
