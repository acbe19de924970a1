import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below Linux's ephemeral ports: between the choice and its use no outgoing connection can take one. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;

/**
 * A TCP port of 127.0.0.1 that nobody listens on right now, at random so that two callers seldom
 * meet. The race left: another process may take it before the caller does; try another then.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isFree(port)) {
      return port;
    }
  }
  throw new Error(`No free port on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT} in 50 tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}
