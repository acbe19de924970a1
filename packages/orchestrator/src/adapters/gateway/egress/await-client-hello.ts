import type { Socket } from "node:net";
import type { EgressDenial } from "../../../ports/egress.ts";
import { type ClientHello, MAX_HELLO_BYTES, readClientHello } from "./client-hello.ts";

export type HelloDenial = Extract<
  EgressDenial,
  "no_client_hello" | "no_server_name" | "other_server_name"
>;

/**
 * Holds a connection's first bytes back until they name the very server that the tunnel is for.
 *
 * @returns the bytes, to be passed on, or why the connection is to be cut
 */
export async function awaitClientHello(
  socket: Socket,
  host: string,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<Buffer | HelloDenial> {
  const { promise, resolve } = Promise.withResolvers<Buffer | HelloDenial>();
  let bytes: Buffer = Buffer.alloc(0);
  const look = (): void => {
    for (let piece = socket.read(); piece !== null; piece = socket.read()) {
      bytes = Buffer.concat([bytes, piece as Buffer]);
    }
    const hello = readClientHello(bytes);
    if (hello.kind !== "incomplete") {
      resolve(verdictOn(hello, host) ?? bytes);
    } else if (bytes.length >= MAX_HELLO_BYTES) {
      resolve("no_client_hello");
    }
  };
  const giveUp = (): void => resolve("no_client_hello");
  const timer = setTimeout(giveUp, withinMs);
  socket.on("readable", look);
  socket.once("end", giveUp);
  socket.once("close", giveUp);
  signal.addEventListener("abort", giveUp);
  look();
  if (socket.destroyed || signal.aborted) {
    giveUp();
  }
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("end", giveUp);
    socket.off("close", giveUp);
    signal.removeEventListener("abort", giveUp);
  }
}

/** @returns undefined for the right one */
function verdictOn(hello: ClientHello, host: string): HelloDenial | undefined {
  if (hello.kind !== "hello") {
    return "no_client_hello";
  }
  const { serverName, isEncrypted } = hello;
  if (serverName === undefined || isEncrypted) {
    return "no_server_name";
  }
  return serverName.toLowerCase() === host ? undefined : "other_server_name";
}
