import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP server that agents call. Disposing it cuts every connection. */
export interface HttpDoor extends AsyncDisposable {
  /** Of a door on loopback; 0 for one on a socket in the file system. */
  readonly port: number;
  /** Takes no new connection from now on, and closes those without a call. */
  readonly stopTaking: () => void;
}

/** An idle connection of an agent is kept longer than agents keep one, so that none closes under a call. */
const KEEP_ALIVE_MS = 120_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** @param where a free port of loopback, or a socket in the file system */
export async function openHttpDoor(
  listener: RequestListener,
  where: "loopback" | { readonly socketPath: string },
): Promise<HttpDoor> {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, listener);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  if (where === "loopback") {
    server.listen(0, "127.0.0.1");
  } else {
    server.listen(where.socketPath);
  }
  await once(server, "listening");
  const address = server.address();
  let isTaking = true;
  const closed = once(server, "close");
  const stopTaking = (): void => {
    if (isTaking) {
      isTaking = false;
      server.close();
    }
    server.closeIdleConnections();
  };
  return {
    port: typeof address === "object" ? ((address as AddressInfo | null)?.port ?? 0) : 0,
    stopTaking,
    async [Symbol.asyncDispose]() {
      stopTaking();
      server.closeAllConnections();
      await closed;
    },
  };
}
