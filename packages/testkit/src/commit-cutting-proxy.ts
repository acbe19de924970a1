import { connect, createServer, type Socket } from "node:net";
import { freePort } from "@speckit/private-broker";

/** `unsent`: the server never gets the commit. `unanswered`: it commits, and nobody hears of it. */
export type CommitCut = "unsent" | "unanswered";

export interface CommitCuttingProxy extends AsyncDisposable {
  /** The given URL with the proxy's address. */
  readonly url: string;
  /** How many commits were cut so far, by how. */
  readonly cuts: () => Readonly<Record<CommitCut, number>>;
}

/** PostgreSQL's simple query `commit`, as it stands on the wire. */
const COMMIT = Buffer.from("commit\0");

/**
 * A proxy on loopback in front of PostgreSQL that breaks a connection at its COMMIT, so that the
 * client cannot know whether it happened: to it both cuts look the same.
 *
 * @param next asked at each commit; undefined lets it through
 */
export async function commitCuttingProxy(
  url: string,
  next: () => CommitCut | undefined,
): Promise<CommitCuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const cuts = { unsent: 0, unanswered: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const destroy = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        destroy();
      });
    }
    let isSilent = false;
    client.on("data", (piece: Buffer) => {
      const cut = piece.includes(COMMIT) ? next() : undefined;
      if (cut !== undefined) {
        cuts[cut] += 1;
        isSilent = true;
      }
      if (cut === "unsent") {
        destroy();
      } else {
        upstream.write(piece);
      }
    });
    upstream.on("data", (piece: Buffer) => {
      if (isSilent) {
        // The answer: the server has committed.
        destroy();
      } else {
        client.write(piece);
      }
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const proxied = new URL(url);
  proxied.hostname = "127.0.0.1";
  proxied.port = String(port);
  return {
    url: proxied.href,
    cuts: () => ({ ...cuts }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) {
        socket.destroy();
      }
      await closed;
    },
  };
}
