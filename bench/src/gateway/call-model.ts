import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";

/** Where calls go: straight to the provider, or to a gateway's socket with an attempt's token. */
export interface Target extends Disposable {
  /** @param onFirstByte nothing more is read until it resolves */
  readonly call: (onFirstByte?: () => Promise<void>) => Promise<CallTimes>;
}

export interface CallTimes {
  /** From the call's start to the first byte of the answer's body. */
  readonly firstByteMs: number;
  readonly wholeMs: number;
}

/** How a provider is called, behind its base URL. */
export const CALLS = {
  openai: {
    path: "/responses",
    prefix: "/openai/v1",
    body: { model: "m", stream: true, input: [] },
  },
  anthropic: {
    path: "/v1/messages",
    prefix: "/anthropic",
    body: { model: "m", stream: true, max_tokens: 100, messages: [] },
  },
  gemini: {
    path: "/v1beta/models/m:streamGenerateContent?alt=sse",
    prefix: "/gemini",
    body: { contents: [] },
  },
} as const;
export const PROVIDERS = Object.keys(CALLS) as readonly (keyof typeof CALLS)[];

/** A conversation as agents send it: some tens of kilobytes. */
const FILLER = "x".repeat(40_000);

/** Connections are kept, as agents keep theirs. */
export function targetOf(
  provider: keyof typeof CALLS,
  where: { readonly baseUrl: string } | { readonly socketPath: string; readonly token: string },
): Target {
  const agent = new Agent({ keepAlive: true });
  const { path, prefix, body } = CALLS[provider];
  const url = "baseUrl" in where ? new URL(`${where.baseUrl}${path}`) : undefined;
  const text = JSON.stringify({ ...body, filler: FILLER });
  const options = {
    ...(url === undefined
      ? { socketPath: "socketPath" in where ? where.socketPath : "", path: `${prefix}${path}` }
      : { host: url.hostname, port: url.port, path: `${url.pathname}${url.search}` }),
    method: "POST",
    agent,
    headers: {
      authorization: `Bearer ${"token" in where ? where.token : "sk-bench"}`,
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    },
  };
  return {
    async call(onFirstByte) {
      const startedMs = performance.now();
      const asked = request(options);
      asked.end(text);
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      if (answer.statusCode !== 200) {
        throw new Error(`status ${answer.statusCode}`);
      }
      await once(answer, "readable");
      const firstByteMs = performance.now() - startedMs;
      await onFirstByte?.();
      answer.resume();
      await once(answer, "end");
      return { firstByteMs, wholeMs: performance.now() - startedMs };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}
