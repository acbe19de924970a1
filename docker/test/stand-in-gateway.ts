import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** What the gateway answers about an attempt; a test may change it while a job runs. */
export interface GatewayAnswers {
  start: number;
  attempt: number;
  /** Anything else that comes through the bridge. */
  other?: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface StandInGateway extends AsyncDisposable {
  readonly socketPath: string;
  readonly answers: GatewayAnswers;
  /** `METHOD PATH` of every request, in order. */
  readonly asked: readonly string[];
  /** Resolves when the request has come. */
  readonly heard: (line: string) => Promise<void>;
}

/** The gateway's side of the entry program's contract, on a Unix socket, with the statuses a test says. */
export async function standInGateway(
  socketPath: string,
  token: string,
  answers: GatewayAnswers = { start: 204, attempt: 204 },
): Promise<StandInGateway> {
  const asked: string[] = [];
  const waiting = new Map<string, () => void>();
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    const isOwn = request.url?.startsWith("/speckit/v1/") === true;
    asked.push(line);
    waiting.get(line)?.();
    if (isOwn && request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
    } else if (line === "POST /speckit/v1/start") {
      response.writeHead(answers.start).end();
    } else if (line === "GET /speckit/v1/attempt") {
      response.writeHead(answers.attempt).end();
    } else if (answers.other !== undefined) {
      answers.other(request, response);
    } else {
      response.writeHead(request.url === "/healthz" ? 200 : 404).end();
    }
  });
  await listen(server, socketPath);
  await chmod(socketPath, 0o666);
  return {
    socketPath,
    answers,
    asked,
    heard: (line) =>
      new Promise((resolve) => {
        if (asked.includes(line)) {
          resolve();
        } else {
          waiting.set(line, resolve);
        }
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(socketPath, { force: true });
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}
