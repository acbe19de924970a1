import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, refusalOf, refuse, send } from "./http/answer.ts";

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

export interface HealthReport {
  /** undefined: ready. */
  readonly waitingFor: string | undefined;
  readonly inHand: number;
}

/**
 * Liveness and readiness over HTTP. `GET /healthz` answers 200 while the process turns its event
 * loop; `GET /readyz` answers 200 when work can be taken, else 503 with what it waits for. `GET /v1/…`
 * is for `readRuns`.
 */
export async function startHealthServer(options: {
  readonly port: number;
  readonly host: string;
  readonly report: () => HealthReport;
  readonly readRuns: (url: URL, authorization: string | undefined) => Promise<Answer>;
}): Promise<HealthServer> {
  const answerTo = async (
    method: string,
    target: string,
    authorization: string | undefined,
  ): Promise<Answer> => {
    if (method !== "GET" && method !== "HEAD") {
      return refuse("HTTP_METHOD_REFUSED", `Expected GET or HEAD, got ${method}`);
    }
    const url = URL.parse(target, "http://worker");
    if (url?.pathname === "/healthz") {
      return { status: 200, body: { status: "alive" } };
    }
    if (url?.pathname === "/readyz") {
      return readiness(options.report());
    }
    return url?.pathname.startsWith("/v1/")
      ? options.readRuns(url, authorization)
      : refuse("HTTP_PATH_UNKNOWN", "Expected /healthz, /readyz or /v1/…");
  };
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    answerTo(method, url, headers.authorization).then(
      (answer) => send(response, method, answer),
      (error: unknown) => send(response, method, refusalOf(error)),
    );
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function readiness({ waitingFor, inHand }: HealthReport): Answer {
  return waitingFor === undefined
    ? { status: 200, body: { status: "ready", inHand } }
    : { status: 503, body: { status: "waiting", waitingFor, inHand } };
}
