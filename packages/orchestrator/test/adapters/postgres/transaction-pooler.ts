import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import pg from "pg";

export interface PoolerBehaviour {
  /** Sessions at the server behind each connection: it takes the next one after each transaction. */
  readonly sessions: number;
  /** The process id it greets with: of the first session, or one that no session has. */
  readonly greeting: "true" | "made up";
}

/** What is between a client and a server where a connection is no session, as PgBouncer does it. */
export async function transactionPooler(
  url: string,
  { sessions, greeting }: PoolerBehaviour,
): Promise<AsyncDisposable & { readonly url: string }> {
  const clients = new Set<Socket>();
  const upstream = new Set<Session>();
  const server = createServer((client) => {
    clients.add(client);
    client.on("error", () => undefined);
    client.once("data", async () => {
      const own = await Promise.all(Array.from({ length: sessions }, () => openSession(url)));
      for (const session of own) {
        upstream.add(session);
      }
      const pid = greeting === "true" ? (own[0]?.pid ?? 0) : 2 ** 30;
      relay(client, own);
      client.write(Buffer.concat([frame("R", 0), frame("K", pid, 7), READY]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const proxied = new URL(url);
  proxied.hostname = "127.0.0.1";
  proxied.port = String(typeof address === "object" ? address?.port : "");
  return {
    url: proxied.href,
    async [Symbol.asyncDispose]() {
      for (const socket of [...clients, ...[...upstream].map(({ stream }) => stream)]) {
        socket.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}

interface Session {
  readonly pid: number;
  readonly stream: Socket;
}

/** A session that pg has opened, whatever the server asks for, and then lets go of. */
async function openSession(connectionString: string): Promise<Session> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => undefined);
  await client.connect();
  const inner = client as unknown as { processID: number; connection: { stream: Socket } };
  inner.connection.stream.removeAllListeners("data");
  return { pid: inner.processID, stream: inner.connection.stream };
}

/** Client to the session whose turn it is; a session's turn ends when it is idle again. */
function relay(client: Socket, sessions: readonly Session[]): void {
  let turn = 0;
  client.on("data", (bytes) => sessions[turn]?.stream.write(bytes));
  for (const { stream } of sessions) {
    let unread = Buffer.alloc(0);
    stream.on("data", (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length >= 5 && unread.length >= 1 + unread.readInt32BE(1)) {
        const message = unread.subarray(0, 1 + unread.readInt32BE(1));
        unread = unread.subarray(message.length);
        if (message.equals(READY)) {
          turn = (turn + 1) % sessions.length;
        }
        client.write(message);
      }
    });
  }
}

/** A message of the server's: its type, its length, and whole numbers. */
function frame(type: string, ...values: readonly number[]): Buffer {
  const message = Buffer.alloc(5 + 4 * values.length);
  message.write(type, 0, "latin1");
  message.writeInt32BE(message.length - 1, 1);
  for (const [index, value] of values.entries()) {
    message.writeInt32BE(value, 5 + 4 * index);
  }
  return message;
}

/** ReadyForQuery, outside of a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
