import amqp, { type Channel, type ChannelModel } from "amqplib";
import { pause } from "../back-off.ts";
import type { BrokerAddress } from "../broker-address.ts";
import { closeSurely } from "../close-surely.ts";

const CONNECT_MS = 5_000;
/** A broker that is short of memory or disk reads nothing any more, no farewell either. */
const CLOSE_MS = 500;

/** A connection that is made once: what breaks it is a finding. */
export async function openLook(address: BrokerAddress): Promise<ChannelModel> {
  const connection = await amqp.connect(address.url, {
    noDelay: true,
    timeout: CONNECT_MS,
    clientProperties: { connection_name: "speckit doctor" },
  });
  connection.on("error", () => {});
  return connection;
}

export async function closeSoon(connection: ChannelModel): Promise<void> {
  await Promise.race([closeSurely(connection).catch(() => {}), pause(CLOSE_MS)]);
  const { stream } = connection.connection as unknown as { stream: { destroy(): void } };
  stream.destroy();
}

/** Asks something on a channel of its own, since a refusal closes the channel. Rejects with the refusal. */
export async function ask<T>(
  connection: ChannelModel,
  question: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  try {
    return await question(channel);
  } finally {
    await closeSurely(channel).catch(() => {});
  }
}

/** The broker's reply code; 404: there is no such thing, 403: not for this user, 406: it is another. */
export function replyCode(error: unknown): number | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "number" ? code : undefined;
}
