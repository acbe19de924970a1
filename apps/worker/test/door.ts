import { eventually } from "@speckit/testkit";
import amqp, { type GetMessage, type Options } from "amqplib";

/** A message of the dead-letter queue, taken out of it. */
export interface Buried {
  readonly id: string;
  readonly messageId: string;
  readonly code: string;
  readonly reason: unknown;
  readonly body: Buffer;
  readonly message: GetMessage;
}

/** How a message reaches the queue of requests: by a key of the door, or past it by the queue's name. */
export type DoorKey = "request" | "command" | "queue";

/** The public door and the dead-letter queue by a plain AMQP client, for many messages. */
export interface Door extends AsyncDisposable {
  /** Hands a message to the client; waits when the broker is behind. See `confirmed`. */
  readonly publish: (body: Buffer, properties?: Options.Publish, key?: DoorKey) => Promise<void>;
  /** The same for a wake-up. */
  readonly wake: (body: Buffer, key?: "start" | "wake") => Promise<void>;
  /** Resolves when the broker has taken everything, and has returned nothing. */
  readonly confirmed: () => Promise<void>;
  /** Takes everything out of the dead-letter queue. */
  readonly dead: () => Promise<readonly Buried[]>;
  /** Puts messages back as they were. */
  readonly bury: (letters: readonly Buried[]) => Promise<void>;
}

/** So many messages may be on their way without a confirm. */
const WINDOW = 500;

export async function openDoor(url: string, prefix: string): Promise<Door> {
  const connection = await amqp.connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const failures: string[] = [];
  let unconfirmed = 0;
  channel.on("return", ({ fields }) => failures.push(`returned: ${fields.routingKey}`));
  const send = async (exchange: string, key: string, body: Buffer, properties: Options.Publish) => {
    unconfirmed += 1;
    channel.publish(
      exchange,
      key,
      body,
      { persistent: true, mandatory: true, ...properties },
      (error) => {
        unconfirmed -= 1;
        if (error) {
          failures.push(String(error));
        }
      },
    );
    if (unconfirmed > WINDOW) {
      await eventually("the broker takes messages", () => unconfirmed < WINDOW / 2, Boolean, {
        everyMs: 1,
        withinMs: 30_000,
      });
    }
  };
  return {
    publish: (body, properties = {}, key = "request") =>
      key === "queue"
        ? send("", `${prefix}.requests`, body, properties)
        : send(`${prefix}.requests`, `run.${key}`, body, properties),
    wake: (body, key = "wake") => send(`${prefix}.work`, key, body, {}),
    async confirmed() {
      await channel.waitForConfirms();
      if (failures.length > 0) {
        throw new Error(`${failures.length} messages were not taken, the first: ${failures[0]}`);
      }
    },
    async dead() {
      const found: Buried[] = [];
      for (;;) {
        const message = await channel.get(`${prefix}.dead`, { noAck: true });
        if (message === false) {
          return found;
        }
        const headers = message.properties.headers ?? {};
        found.push({
          id: String(headers["speckit-dead-id"]),
          messageId: String(message.properties.messageId),
          code: String(headers["speckit-code"]),
          reason: headers["speckit-reason"],
          body: message.content,
          message,
        });
      }
    },
    async bury(letters) {
      for (const { body, message } of letters) {
        const { headers, messageId } = message.properties;
        await send(`${prefix}.dead`, message.fields.routingKey, body, { headers, messageId });
      }
      await channel.waitForConfirms();
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
