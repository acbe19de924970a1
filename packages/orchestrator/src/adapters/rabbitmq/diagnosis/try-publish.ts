import { pause } from "../back-off.ts";
import type { BrokerAddress } from "../broker-address.ts";
import { closeSoon, openLook, replyCode } from "./open-look.ts";

/** What became of a message that nobody gets. */
export type Publishing =
  | { readonly kind: "taken" }
  | { readonly kind: "blocked"; readonly reason: string }
  | { readonly kind: "refused" }
  | { readonly kind: "missing" };

/** No queue is bound by it. */
const NOBODYS_KEY = "speckit.doctor";
const CONFIRM_MS = 3_000;

/**
 * Publishes an empty message to a direct exchange, by a key that leads to no queue: the broker drops it.
 * Only so does it tell of an alarm, and on a connection of its own, since one that is blocked is read no more.
 */
export async function tryPublish(address: BrokerAddress, exchange: string): Promise<Publishing> {
  const connection = await openLook(address);
  const ended = Promise.withResolvers<Publishing>();
  connection.on("blocked", (reason) => ended.resolve({ kind: "blocked", reason }));
  connection.on("close", () => ended.resolve({ kind: "blocked", reason: "connection lost" }));
  try {
    const channel = await connection.createConfirmChannel();
    channel.on("error", (error) => {
      ended.resolve(
        replyCode(error) === 403
          ? { kind: "refused" }
          : replyCode(error) === 404
            ? { kind: "missing" }
            : { kind: "blocked", reason: error.message },
      );
    });
    // A publish that fails is told of by the channel, with the reason.
    channel.publish(exchange, NOBODYS_KEY, Buffer.alloc(0), {}, (error) => {
      if (!error) {
        ended.resolve({ kind: "taken" });
      }
    });
    const silent = { kind: "blocked", reason: `no confirm within ${CONFIRM_MS} ms` } as const;
    return await Promise.race([ended.promise, pause(CONFIRM_MS).then(() => silent)]);
  } finally {
    await closeSoon(connection);
  }
}
