import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { callModel, openBench } from "./fixtures/open-gateway.ts";

/** A forward proxy for http addresses, and what it was asked for. */
async function startProxy(): Promise<AsyncDisposable & { url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = "GET", url = "", headers } = request;
    asked.push(url);
    const onward = httpRequest(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("a proxy of the environment", () => {
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  beforeEach(async () => {
    proxy = await startProxy();
    for (const name of ["http_proxy", "HTTP_PROXY"]) {
      vi.stubEnv(name, proxy.url);
    }
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await proxy[Symbol.asyncDispose]();
  });

  test("is on the way to the provider", async () => {
    vi.stubEnv("NO_PROXY", "");
    vi.stubEnv("no_proxy", "");
    await using bench = await openBench();
    const response = await callModel(await bench.open());
    expect(await response.text()).toContain("response.completed");
    expect(proxy.asked).toEqual([`${bench.provider.baseUrl}/responses`]);
  });

  test("is not asked for hosts that NO_PROXY names", async () => {
    vi.stubEnv("NO_PROXY", "127.0.0.1");
    vi.stubEnv("no_proxy", "127.0.0.1");
    await using bench = await openBench();
    await (await callModel(await bench.open())).text();
    expect(proxy.asked).toEqual([]);
    expect(bench.provider.requests.length).toBe(1);
  });
});
