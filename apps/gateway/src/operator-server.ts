import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OpenServedGateway } from "@speckit/orchestrator/node";

export interface OperatorServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * What the operator of a gateway asks it, on a port of its own: jobs have the gateway's socket and no
 * network, and see nothing of this.
 *
 * `GET /healthz` answers 200 while the process turns its event loop; `GET /readyz` 200 when the database
 * has answered within 45 s, else 503; `GET /metrics` what was counted, in Prometheus' text format.
 *
 * @param gateway undefined: it does not serve yet
 */
export async function startOperatorServer(options: {
  readonly port: number;
  readonly host: string;
  readonly gateway: () => Pick<OpenServedGateway, "isReady" | "metricsPage"> | undefined;
}): Promise<OperatorServer> {
  const answerTo = async (path: string): Promise<readonly [number, string]> => {
    const gateway = options.gateway();
    switch (path) {
      case "/healthz":
        return [200, json({ status: "alive" })];
      case "/readyz": {
        const isReady = (await gateway?.isReady()) === true;
        return isReady
          ? [200, json({ status: "ready" })]
          : [503, json({ status: "waiting", waitingFor: "PostgreSQL" })];
      }
      case "/metrics":
        return [200, gateway?.metricsPage() ?? ""];
      default:
        return [404, json({ error: "expected /healthz, /readyz or /metrics" })];
    }
  };
  const server = createServer(async (request, response) => {
    response.on("error", () => {});
    const path = request.url?.split("?", 1)[0] ?? "";
    const [status, body] =
      request.method === "GET"
        ? await answerTo(path)
        : ([405, json({ error: "expected GET" })] as const);
    response.writeHead(status, {
      "content-type": path === "/metrics" ? "text/plain; version=0.0.4" : "application/json",
      "cache-control": "no-store",
    });
    response.end(body);
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

function json(body: object): string {
  return `${JSON.stringify(body)}\n`;
}
