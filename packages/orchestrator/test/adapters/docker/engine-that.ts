import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { connectDocker } from "../../../src/adapters/docker/index.ts";

/** An engine's API that answers as a test says. */
export async function engineThat(answers: RequestListener) {
  const server = createServer(answers).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    docker: connectDocker({ host: `tcp://127.0.0.1:${port}` }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const answer =
  (status: number, body: object): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
