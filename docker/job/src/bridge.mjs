import { connect, createServer } from "node:net";

/**
 * Opens the way from loopback to the gateway's socket: a job has no network, and agents speak TCP. Bytes pass unread;
 * either side may close its half first, and a break on one side breaks the other.
 *
 * @param {number} port on 127.0.0.1; 0 for a free one
 * @param {string} socketPath
 * @returns {Promise<import("node:net").Server>}
 */
export function openBridge(port, socketPath) {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inside) => {
    const outside = connect({ path: socketPath, allowHalfOpen: true });
    inside.on("error", () => outside.destroy());
    outside.on("error", () => inside.destroy());
    inside.on("close", () => outside.destroy());
    outside.on("close", () => inside.destroy());
    inside.pipe(outside);
    outside.pipe(inside);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
