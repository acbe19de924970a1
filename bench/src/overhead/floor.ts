import amqp from "amqplib";
import pg from "pg";

/** The least that work of so many durable steps costs with nothing of ours. */
export interface Floor extends AsyncDisposable {
  /** So many single-row commits, one after the other. */
  readonly commits: (count: number) => Promise<void>;
  /**
   * So many hops: each is published with a confirm, consumed, committed as one row, and acked when
   * its successor is confirmed. Resolves when the last one is acked.
   */
  readonly hops: (count: number) => Promise<void>;
}

interface Hops {
  left: number;
  readonly done: PromiseWithResolvers<void>;
}

const CONNECTIONS = 16;

/** On the same server and broker as everything else of the bench, and tuned the same way. */
export async function openFloor(options: {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly queue: string;
}): Promise<Floor> {
  await using undo = new AsyncDisposableStack();
  const pool = new pg.Pool({ connectionString: options.databaseUrl, max: CONNECTIONS });
  undo.defer(() => pool.end());
  await pool.query(
    "CREATE TABLE bench_floor (id serial PRIMARY KEY, steps integer NOT NULL DEFAULT 0)",
  );
  const publishing = await amqp.connect(options.amqpUrl, { noDelay: true });
  undo.defer(() => publishing.close());
  const consuming = await amqp.connect(options.amqpUrl, { noDelay: true });
  undo.defer(() => consuming.close());
  const publisher = await publishing.createConfirmChannel();
  const consumer = await consuming.createChannel();
  const { queue } = await consumer.assertQueue(options.queue, {
    durable: true,
    arguments: { "x-queue-type": "quorum" },
  });
  undo.defer(async () => void (await consumer.deleteQueue(queue)));
  await consumer.prefetch(2 * CONNECTIONS);

  const rows = await pool.query<{ id: number }>(
    "INSERT INTO bench_floor SELECT FROM generate_series(1, 100) RETURNING id",
  );
  const free = rows.rows.map(({ id }) => id);
  /** A row that nobody else counts on meanwhile. */
  const withRow = async (work: (id: number) => Promise<void>): Promise<void> => {
    const id = free.pop();
    if (id === undefined) {
      throw new Error("The floor is walked by more than a hundred at once");
    }
    try {
      await work(id);
    } finally {
      free.push(id);
    }
  };
  const commit = (id: number) =>
    pool.query("UPDATE bench_floor SET steps = steps + 1 WHERE id = $1", [id]);
  const publish = (id: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const body = Buffer.from(JSON.stringify({ id }));
      const properties = { persistent: true, mandatory: true };
      publisher.publish("", queue, body, properties, (error) =>
        error ? reject(error) : resolve(),
      );
    });

  const hopping = new Map<number, Hops>();
  const hop = async (message: amqp.ConsumeMessage): Promise<void> => {
    const { id } = JSON.parse(message.content.toString());
    const run = hopping.get(id);
    await commit(id);
    if (run !== undefined && --run.left > 0) {
      await publish(id);
    }
    consumer.ack(message);
    if (run?.left === 0) {
      run.done.resolve();
    }
  };
  await consumer.consume(queue, (message) => {
    if (message !== null) {
      hop(message).catch((error: unknown) => {
        for (const run of hopping.values()) {
          run.done.reject(error);
        }
      });
    }
  });

  const owned = undo.move();
  return {
    commits: (count) =>
      withRow(async (id) => {
        for (let step = 0; step < count; step += 1) {
          await commit(id);
        }
      }),
    hops: (count) =>
      withRow(async (id) => {
        const run = { left: count, done: Promise.withResolvers<void>() };
        hopping.set(id, run);
        await publish(id);
        await run.done.promise;
        hopping.delete(id);
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
