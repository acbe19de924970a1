import { connect, createServer, type Socket } from "node:net";
import { freePort } from "@speckit/private-broker";

export interface TcpProxy extends AsyncDisposable {
  /** The given URL with the proxy's address. */
  readonly url: string;
  /** Destroys every connection that goes through it, as a network would. */
  readonly cut: () => void;
  /** Refuses new connections until `accept`; does not touch those that are open. */
  readonly refuse: () => void;
  readonly accept: () => void;
  /**
   * Swallows what comes through the connections there are, as a host that vanished: nothing passes
   * any more, not even that one side has closed. `cut` ends them.
   */
  readonly freeze: () => void;
  /** Swallows only what the service says on the connections there are: it hears, and is not heard. */
  readonly mute: () => void;
  /** How many it has refused so far. */
  readonly refused: () => number;
  /** How many connections go through it now. */
  readonly connections: () => number;
}

/** A proxy on loopback in front of the service that a URL names, to break its connections with. */
export async function tcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const fromService = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  let refusing = false;
  let refused = 0;
  const server = createServer((client) => {
    if (refusing) {
      refused += 1;
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    fromService.add(upstream);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        fromService.delete(socket);
        if (!frozen.has(socket)) {
          other.destroy();
        }
      });
      socket.pipe(other);
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const proxied = new URL(url);
  proxied.hostname = "127.0.0.1";
  proxied.port = String(port);
  const cut = () => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    url: proxied.href,
    cut,
    refuse: () => {
      refusing = true;
    },
    accept: () => {
      refusing = false;
    },
    freeze: () => {
      for (const socket of sockets) {
        frozen.add(socket);
        swallow(socket);
      }
    },
    mute: () => {
      for (const socket of fromService) {
        swallow(socket);
      }
    },
    refused: () => refused,
    connections: () => sockets.size / 2,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

function swallow(socket: Socket): void {
  socket.unpipe();
  socket.resume();
}
