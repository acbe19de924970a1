import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

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
 * loop; `GET /readyz` answers 200 when work can be taken, else 503 with what it waits for.
 */
export async function startHealthServer(options: {
  readonly port: number;
  readonly host: string;
  readonly report: () => HealthReport;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split("?", 1)[0];
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, {
        "content-type": "application/json",
        "cache-control": "no-store",
      });
      response.end(request.method === "HEAD" ? undefined : `${JSON.stringify(body)}\n`);
    };
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(405, { error: "expected GET or HEAD" });
    } else if (path === "/healthz") {
      answer(200, { status: "alive" });
    } else if (path === "/readyz") {
      const { waitingFor, inHand } = options.report();
      answer(waitingFor === undefined ? 200 : 503, {
        status: waitingFor === undefined ? "ready" : "waiting",
        ...(waitingFor === undefined ? {} : { waitingFor }),
        inHand,
      });
    } else {
      answer(404, { error: "expected /healthz or /readyz" });
    }
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
