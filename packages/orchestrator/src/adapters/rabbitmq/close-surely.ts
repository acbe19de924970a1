/** A channel or a connection of amqplib. */
interface Closable {
  close(): Promise<void>;
  once(event: "close", listener: () => void): unknown;
}

/**
 * Closes it, and resolves when it is closed: by the broker's answer or because its connection has
 * ended meanwhile. Then amqplib's own promise (2.3.1) is never settled: it waits for the answer alone,
 * and whoever waits for it waits for ever. Rejects as `close` does when it was closed before.
 */
export async function closeSurely(closable: Closable): Promise<void> {
  const ended = Promise.withResolvers<void>();
  closable.once("close", () => ended.resolve());
  await Promise.race([closable.close(), ended.promise]);
}
