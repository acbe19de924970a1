import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

/** What a CONNECT is answered with that opens nothing. */
export interface ConnectRefusal {
  readonly status: 400 | 403 | 405 | 407 | 429 | 502 | 503;
  /** Machine code, for the log and the answer. */
  readonly code: string;
  /** One sentence for whoever reads the agent's output. */
  readonly message: string;
}

/** Longest time an agent may take to read why it was refused. */
const LAST_WORDS_MS = 2_000;

/** Answers and closes: what else the agent has sent would be taken for a request of its own. */
export function refuseConnect(socket: Socket, { status, code, message }: ConnectRefusal): void {
  const body = `${code}: ${message}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: text/plain; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 407 ? ['proxy-authenticate: Basic realm="speckit"'] : []),
    "connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  socket.resume();
  socket.setTimeout(LAST_WORDS_MS, () => socket.destroy());
  socket.once("end", () => socket.destroySoon());
}

export function acceptConnect(socket: Socket): void {
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
}
