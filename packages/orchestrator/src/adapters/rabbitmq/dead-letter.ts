import { randomUUID } from "node:crypto";
import type { ConsumeMessage, Options } from "amqplib";
import type { Failure } from "../../domain/failure.ts";
import type { Publication } from "./confirming-publisher.ts";

/** Names of the headers that tell why a message is in the dead-letter queue. */
export const DEAD_HEADERS = {
  /** Names the dead letter, so that people can point at it. */
  id: "speckit-dead-id",
  code: "speckit-code",
  class: "speckit-class",
  reason: "speckit-reason",
  queue: "speckit-queue",
} as const;

const MAX_REASON_CHARS = 1_000;
const MAX_KEPT_HEADERS = 50;
const MAX_KEPT_HEADER_CHARS = 1_000;

/**
 * The copy of a message that goes to the dead-letter queue: body and properties as they came, the
 * reason in headers.
 *
 * @param bare leaves the sender's properties out, for the case that the broker or the client
 *   refuses one of them: the body and the reason are what matters
 * @param body in the place of the one that came
 */
export function deadLetter(
  exchange: string,
  queue: string,
  { content, fields, properties }: ConsumeMessage,
  failure: Failure,
  { bare = false, body }: { readonly bare?: boolean; readonly body?: Uint8Array | undefined } = {},
): Publication {
  return {
    exchange,
    routingKey: fields.routingKey,
    body: body === undefined ? content : Buffer.from(body),
    mustBeRouted: true,
    properties: {
      ...(bare ? {} : kept(properties)),
      headers: {
        ...(bare ? {} : keptHeaders(properties.headers)),
        [DEAD_HEADERS.id]: randomUUID(),
        [DEAD_HEADERS.code]: failure.code,
        [DEAD_HEADERS.class]: failure.class,
        [DEAD_HEADERS.reason]: failure.message.slice(0, MAX_REASON_CHARS),
        [DEAD_HEADERS.queue]: queue,
      },
    },
  };
}

/** Not kept: `expiration` would end the copy too, `userId` must be our own, or the broker refuses it. */
function kept(properties: ConsumeMessage["properties"]): Options.Publish {
  const {
    contentType,
    contentEncoding,
    correlationId,
    replyTo,
    messageId,
    timestamp,
    type,
    appId,
  } = properties;
  const all = {
    contentType,
    contentEncoding,
    correlationId,
    replyTo,
    messageId,
    timestamp,
    type,
    appId,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The broker's own `x-` headers are left behind: what they mean differs between its versions. */
function keptHeaders(headers: ConsumeMessage["properties"]["headers"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers ?? {})
      .filter(([name, value]) => !name.startsWith("x-") && isSmall(value))
      .slice(0, MAX_KEPT_HEADERS),
  );
}

function isSmall(value: unknown): boolean {
  return (
    typeof value === "number" ||
    typeof value === "boolean" ||
    (typeof value === "string" && value.length <= MAX_KEPT_HEADER_CHARS)
  );
}
