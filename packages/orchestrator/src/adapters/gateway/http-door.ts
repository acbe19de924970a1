import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

/** An HTTP server that agents call. Disposing it cuts every connection. */
export interface HttpDoor extends AsyncDisposable {
  /** Of a door on loopback; 0 for one on a socket in the file system. */
  readonly port: number;
  /** Somebody has connected since it was opened. */
  readonly wasUsed: () => boolean;
  /** Takes no new connection from now on, and closes those without a call. */
  readonly stopTaking: () => void;
}

/** An idle connection of an agent is kept longer than agents keep one, so that none closes under a call. */
const KEEP_ALIVE_MS = 120_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** What came was no request that can be read: answered here, since no listener ever sees it. */
export type UnreadableListener = (why: "header_too_large" | "malformed_request") => void;

/**
 * @param where a free port of loopback, or a socket in the file system
 * @param onConnect takes over the connection of a CONNECT, which the door then knows no more. Default:
 * it is closed
 */
export async function openHttpDoor(
  listener: RequestListener,
  where: "loopback" | { readonly socketPath: string },
  onUnreadable: UnreadableListener,
  onConnect?: (request: IncomingMessage, socket: Socket, head: Buffer) => void,
): Promise<HttpDoor> {
  // One connection may have several requests on their way, whose answers come one after the other.
  const answers = new WeakMap<Duplex, Set<ServerResponse>>();
  /** Connections that have had their last word. */
  const over = new WeakSet<Duplex>();
  const openOn = (socket: Duplex): Set<ServerResponse> => {
    const open = answers.get(socket) ?? new Set();
    answers.set(socket, open);
    return open;
  };
  /** A word of ours in the middle of an answer would be taken for a part of it. */
  const endWith = (socket: Duplex, word: string): void => {
    over.add(socket);
    if ([...openOn(socket)].some(({ headersSent }) => headersSent)) {
      socket.destroy();
    } else {
      socket.end(word);
    }
  };
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    if (over.has(request.socket)) {
      return; // Whatever stands behind what could not be read is no request.
    }
    if (request.httpVersionMajor !== 1) {
      // The parser takes a line without a version for one of HTTP/0.9, and whatever follows for its headers.
      onUnreadable("malformed_request");
      endWith(request.socket, MALFORMED);
      return;
    }
    const open = openOn(request.socket);
    open.add(response);
    response.once("close", () => open.delete(response));
    listener(request, response);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "HPE_HEADER_OVERFLOW") {
      onUnreadable("header_too_large");
      endWith(socket, HEADER_TOO_LARGE);
    } else if (error.code?.startsWith("HPE_") === true) {
      onUnreadable("malformed_request");
      endWith(socket, MALFORMED);
    } else {
      socket.destroy();
    }
  });
  if (onConnect !== undefined) {
    server.on("connect", (request, stream, head) => {
      if (openOn(stream).size > 0) {
        onUnreadable("malformed_request");
        stream.destroy();
      } else {
        onConnect(request, stream as Socket, head);
      }
    });
  }
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
  let isUsed = false;
  server.once("connection", () => {
    isUsed = true;
  });
  const stopTaking = (): void => {
    if (isTaking) {
      isTaking = false;
      server.close();
    }
    server.closeIdleConnections();
  };
  return {
    port: typeof address === "object" ? ((address as AddressInfo | null)?.port ?? 0) : 0,
    wasUsed: () => isUsed,
    stopTaking,
    async [Symbol.asyncDispose]() {
      stopTaking();
      server.closeAllConnections();
      await closed;
    },
  };
}

const HEADER_TOO_LARGE = lastWord(
  "431 Request Header Fields Too Large",
  "header_too_large",
  `The headers are larger than ${MAX_HEADER_BYTES / 1024} KiB.`,
);
const MALFORMED = lastWord("400 Bad Request", "malformed_request", "This is no HTTP request.");

/** An answer on a connection on which nothing can be read any more. */
function lastWord(status: string, code: string, message: string): string {
  const body = JSON.stringify({ error: { message, type: "invalid_request_error", code } });
  const head = [
    `HTTP/1.1 ${status}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
