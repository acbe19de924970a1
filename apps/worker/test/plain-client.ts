import amqp from "amqplib";

export interface Told {
  readonly routingKey: string;
  readonly body: {
    readonly id: string;
    readonly type: string;
    readonly subject: string;
    readonly data: Record<string, unknown>;
  };
}

export interface Answer {
  readonly correlationId: string | undefined;
  readonly body: Record<string, unknown>;
}

export interface Dead {
  readonly body: Buffer;
  readonly headers: Record<string, unknown>;
}

/** An AMQP client with nothing of ours: publishes to the public door, hears events and replies. */
export interface PlainClient extends AsyncDisposable {
  readonly events: readonly Told[];
  readonly answers: readonly Answer[];
  readonly publish: (body: Buffer | object, correlationId?: string) => Promise<void>;
  readonly publishCommand: (body: Buffer | object, correlationId?: string) => Promise<void>;
  /** Publishes a wake-up for a run: look at it now. */
  readonly wake: (runId: string) => Promise<void>;
  /** Takes everything out of the dead-letter queue. */
  readonly dead: () => Promise<readonly Dead[]>;
  /** Messages ready in each of these queues. */
  readonly depth: (queue: string) => Promise<number>;
}

export async function plainClient(url: string, prefix: string): Promise<PlainClient> {
  const connection = await amqp.connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const events: Told[] = [];
  const answers: Answer[] = [];
  const { queue: told } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(told, `${prefix}.events`, "#");
  await channel.consume(
    told,
    (message) => {
      if (message !== null) {
        const body = JSON.parse(message.content.toString());
        events.push({ routingKey: message.fields.routingKey, body });
      }
    },
    { noAck: true },
  );
  const { queue: replies } = await channel.assertQueue("", { exclusive: true });
  await channel.consume(
    replies,
    (message) => {
      if (message !== null) {
        const body = JSON.parse(message.content.toString());
        answers.push({ correlationId: message.properties.correlationId, body });
      }
    },
    { noAck: true },
  );
  async function send(key: string, body: Buffer | object, correlationId: string | undefined) {
    const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    channel.publish(`${prefix}.requests`, key, content, {
      persistent: true,
      mandatory: true,
      ...(correlationId === undefined ? {} : { replyTo: replies, correlationId }),
    });
    await channel.waitForConfirms();
  }

  return {
    events,
    answers,
    publish: (body, correlationId) => send("run.request", body, correlationId),
    publishCommand: (body, correlationId) => send("run.command", body, correlationId),
    async wake(runId) {
      const content = Buffer.from(JSON.stringify({ v: 1, runId }));
      channel.publish(`${prefix}.work`, "wake", content, { persistent: true, mandatory: true });
      await channel.waitForConfirms();
    },
    async dead() {
      const found: Dead[] = [];
      for (;;) {
        const message = await channel.get(`${prefix}.dead`, { noAck: true });
        if (message === false) {
          return found;
        }
        found.push({ body: message.content, headers: message.properties.headers ?? {} });
      }
    },
    depth: async (queue) => (await channel.checkQueue(queue)).messageCount,
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
