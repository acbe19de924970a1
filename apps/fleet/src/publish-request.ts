import amqp from "amqplib";

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export interface Reply {
  readonly status: string;
  readonly runId: string | null;
  readonly branch?: string;
  readonly headSha?: string | null;
  readonly failure?: { readonly code: string; readonly message: string };
}

const ANSWER_WITHIN_MS = 120_000;

/**
 * What any client in any language does, with nothing of ours: one connection, a queue of its own
 * for events and the reply, one confirmed publish to the public door.
 *
 * @param onEvent each event in the order it arrives
 */
export async function publishRequest(options: {
  readonly url: string;
  readonly prefix: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly onEvent: (event: CloudEvent) => void;
}): Promise<Reply> {
  const { url, prefix, request, onEvent } = options;
  const connection = await amqp.connect(url, { noDelay: true });
  try {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, `${prefix}.events`, "run.*");
    await channel.bindQueue(queue, `${prefix}.events`, "phase.*");
    const correlationId = crypto.randomUUID();
    const answered = Promise.withResolvers<Reply>();
    await channel.consume(
      queue,
      (message) => {
        if (message === null) {
          answered.reject(new Error("The broker has taken our queue away"));
          return;
        }
        const body: unknown = JSON.parse(message.content.toString());
        if (message.properties.correlationId === correlationId) {
          answered.resolve(body as Reply);
        } else {
          onEvent(body as CloudEvent);
        }
      },
      { noAck: true },
    );
    channel.publish(`${prefix}.requests`, "run.request", Buffer.from(JSON.stringify(request)), {
      contentType: "application/json",
      persistent: true,
      mandatory: true,
      replyTo: queue,
      correlationId,
    });
    await channel.waitForConfirms();
    return await Promise.race([answered.promise, noAnswer()]);
  } finally {
    await connection.close();
  }
}

function noAnswer(): Promise<never> {
  return new Promise((_resolve, reject) => {
    const late = new Error(`No reply within ${ANSWER_WITHIN_MS / 1000} s`);
    setTimeout(() => reject(late), ANSWER_WITHIN_MS).unref();
  });
}
