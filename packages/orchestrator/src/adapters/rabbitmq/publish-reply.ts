import { isSpeckitError } from "../../domain/speckit-error.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Reply } from "../../ports/transport.ts";
import type { ConfirmingPublisher, Publication } from "./confirming-publisher.ts";
import { publishOnce } from "./publish-once.ts";

/**
 * RabbitMQ decodes what follows this in a routing key, and ends the whole connection with 541 when
 * it cannot (3.10.8). The name came from outside, so it is not tried on the connection that carries
 * everything else.
 */
const DIRECT_REPLY = "amq.rabbitmq.reply-to.";

/** Reply codes of a broker that found fault with this one message. */
const REFUSED_MESSAGE = [404, 406, 541];

/** Sends a result to the queue the requester named. A queue that is gone, or never was, is fine. */
export async function publishReply(
  {
    url,
    connectionName,
    publisher,
    logger,
  }: {
    readonly url: string;
    readonly connectionName: string;
    readonly publisher: ConfirmingPublisher;
    readonly logger: Logger;
  },
  replyTo: string,
  correlationId: string | undefined,
  body: Reply,
): Promise<void> {
  const publication: Publication = {
    exchange: "",
    routingKey: replyTo,
    body: Buffer.from(JSON.stringify(body)),
    mustBeRouted: false,
    properties: {
      contentType: "application/json",
      ...(correlationId === undefined ? {} : { correlationId }),
    },
  };
  if (!replyTo.startsWith(DIRECT_REPLY)) {
    await publisher.publish(publication);
    return;
  }
  try {
    await publishOnce(url, connectionName, publication);
  } catch (error) {
    if (!isRefusal(error)) {
      throw error;
    }
    logger.warn(`a reply could not be delivered: ${String(error)}`);
  }
}

function isRefusal(error: unknown): boolean {
  const cause = isSpeckitError(error) ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && REFUSED_MESSAGE.includes(Number(cause.code));
}
