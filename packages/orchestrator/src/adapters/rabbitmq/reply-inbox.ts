import { randomUUID } from "node:crypto";
import type { ConsumeMessage } from "amqplib";
import {
  type RunRejected,
  type RunResult,
  runRejectedSchema,
  runResultSchema,
} from "../../contract/run-result.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Logger } from "../../ports/logger.ts";
import { closeSurely } from "./close-surely.ts";
import type { BrokerConnection } from "./open-connection.ts";
import { type QueueConsumer, queueConsumer } from "./queue-consumer.ts";
import type { QueueSpec } from "./topology.ts";

const EXPIRES_MS = 30 * 60_000;
const REPLIES_AT_ONCE = 20;

/** A reply, or why there is none that can be understood. */
export type Reply = RunResult | RunRejected | SpeckitError;

/** The replies to one request. */
export interface AwaitedReplies extends Disposable {
  /** The next one, undefined when none came in time. */
  readonly next: (withinMs: number) => Promise<Reply | undefined>;
}

export interface ReplyInbox {
  /** For `reply-to`. */
  readonly queue: string;
  /** Replies that come from now on with this `correlation-id`. */
  readonly await: (correlationId: string) => AwaitedReplies;
  /** Ends every wait with the error and deletes the queue, if there is a connection. */
  readonly close: (error: SpeckitError) => Promise<void>;
}

/**
 * The queue of one requester's replies. It is durable and has no owner, so that a reply which comes
 * while the connection is away, or the broker starts again, is there afterwards; without a consumer
 * it expires after half an hour. Every new connection declares it again.
 */
export function replyQueue(prefix: string): QueueSpec {
  return {
    name: `${prefix}.replies.${randomUUID()}`,
    arguments: { "x-queue-type": "classic", "x-expires": EXPIRES_MS },
    purpose: "Replies to one requester",
  };
}

/** Consumes a declared reply queue; resolves when it does. */
export async function openReplyInbox(options: {
  readonly queue: string;
  readonly connection: BrokerConnection;
  readonly logger: Logger;
}): Promise<ReplyInbox> {
  const { queue, connection, logger } = options;
  const waits = new Map<string, Set<(reply: Reply) => void>>();
  const consumer: QueueConsumer = queueConsumer({
    queue,
    connection,
    logger,
    take: { atOnce: REPLIES_AT_ONCE },
    onDelivery({ message, ack }) {
      const { correlationId } = message.properties;
      for (const give of waits.get(String(correlationId)) ?? []) {
        give(readReply(message));
      }
      ack();
    },
  });
  await consumer.ready;

  return {
    queue,
    await(correlationId) {
      const come: Reply[] = [];
      let wake = Promise.withResolvers<void>();
      const give = (reply: Reply) => {
        come.push(reply);
        wake.resolve();
      };
      const all = waits.get(correlationId) ?? new Set();
      waits.set(correlationId, all.add(give));
      return {
        async next(withinMs) {
          const timer = setTimeout(() => wake.resolve(), withinMs);
          await wake.promise;
          clearTimeout(timer);
          const reply = come.shift();
          if (come.length === 0) {
            wake = Promise.withResolvers();
          }
          return reply;
        },
        [Symbol.dispose]() {
          all.delete(give);
          if (all.size === 0) {
            waits.delete(correlationId);
          }
        },
      };
    },
    async close(error) {
      for (const give of [...waits.values()].flatMap((all) => [...all])) {
        give(error);
      }
      await consumer.close();
      if (connection.isConnected()) {
        const channel = await connection.openChannel();
        await channel.deleteQueue(queue);
        await closeSurely(channel);
      }
    },
  };
}

function readReply({ content }: ConsumeMessage): Reply {
  try {
    const body: unknown = JSON.parse(content.toString());
    const rejected = runRejectedSchema.safeParse(body);
    return rejected.success ? rejected.data : runResultSchema.parse(body);
  } catch (cause) {
    return new SpeckitError("INTERNAL_ERROR", "The reply is not one this version understands", {
      cause,
    });
  }
}
