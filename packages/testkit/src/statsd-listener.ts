import { createSocket } from "node:dgram";
import { once } from "node:events";
import { eventually } from "./eventually.ts";

export interface StatsdListener extends AsyncDisposable {
  readonly port: number;
  /** Datagrams in order of arrival. */
  readonly datagrams: readonly string[];
  /** Resolves when at least `count` have arrived. */
  readonly arrived: (count: number) => Promise<readonly string[]>;
}

/** A UDP socket on loopback that keeps what it receives. */
export async function statsdListener(): Promise<StatsdListener> {
  const socket = createSocket("udp4");
  const datagrams: string[] = [];
  let closed: Promise<void> | undefined;
  socket.on("message", (message) => datagrams.push(message.toString("utf8")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    datagrams,
    arrived: (count) =>
      eventually(
        `${count} datagrams`,
        () => datagrams,
        (seen) => seen.length >= count,
      ),
    async [Symbol.asyncDispose]() {
      closed ??= new Promise((resolve) => socket.close(resolve));
      await closed;
    },
  };
}
