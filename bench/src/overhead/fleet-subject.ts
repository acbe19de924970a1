import { openRunRequestPublisher } from "@speckit/orchestrator/rabbitmq";
import amqp from "amqplib";
import type { NoopOptions } from "../noop/noop-orchestrator.ts";
import { noopRequest } from "../noop/noop-request.ts";
import { startNoopWorker } from "../noop/start-noop-worker.ts";
import { toldRuns } from "../told-runs.ts";
import type { Subject } from "./subject.ts";

export type FleetOptions = NoopOptions & { readonly amqpUrl: string; readonly amqpPrefix: string };

/**
 * A client of a worker in a process of its own: a request goes in by the public door of RabbitMQ,
 * its result comes back as the reply.
 */
export async function fleetSubject(options: FleetOptions): Promise<Subject> {
  const { amqpUrl: url, amqpPrefix: prefix } = options;
  await using undo = new AsyncDisposableStack();
  const { pid } = undo.use(await startNoopWorker(options));
  const publisher = undo.use(await openRunRequestPublisher({ url, prefix }));
  const told = toldRuns();
  const connection = await amqp.connect(url, { noDelay: true });
  undo.defer(() => connection.close());
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, `${prefix}.events`, "phase.succeeded");
  await channel.consume(
    queue,
    (message) => message !== null && told.hear(JSON.parse(message.content.toString())),
    { noAck: true },
  );
  const owned = undo.move();
  return {
    pid,
    async carry() {
      const result = await publisher.request(noopRequest(), { timeoutMs: 120_000 });
      if (result.status !== "succeeded") {
        throw new Error(`A run ended as ${result.status}: ${JSON.stringify(result.failure)}`);
      }
      return result;
    },
    untilClosed: told.closed,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
