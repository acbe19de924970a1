import { request } from "node:http";

/**
 * One question to the gateway over its socket; resolves with the status of its answer.
 *
 * @param {string} socketPath
 * @param {string} method
 * @param {string} path
 * @param {{ token?: string, withinMs: number, signal?: AbortSignal, port?: number }} options `port`: on loopback
 *   instead of the socket
 * @returns {Promise<number>} rejects when there is no answer in time
 */
export function askGateway(socketPath, method, path, { token, withinMs, signal, port }) {
  const late = AbortSignal.timeout(withinMs);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...(port === undefined ? { socketPath } : { host: "127.0.0.1", port }),
        method,
        path,
        agent: false,
        headers: {
          host: "gateway",
          "content-length": 0,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      },
      (answer) => {
        answer.on("error", () => {});
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    call.on("error", reject);
    call.end();
  });
}
