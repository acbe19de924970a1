import { once } from "node:events";
import {
  Agent,
  type ClientRequest,
  createServer,
  get,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  eventually,
  freePort,
  type PlacedAttempt,
  placeAttempt,
  type RunningProgram,
  rowsOf,
  startProgram,
  tempFolder,
} from "@speckit/testkit";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
/** As a job's entry program opens it: agents speak TCP, the gateway has a socket in the file system. */
const BRIDGE = fileURLToPath(
  new URL("../../../docker/job/src/speckit-bridge.mjs", import.meta.url),
);
const KEY = "sk-canary-bench";

/** How a provider's clients call it, and how its streams begin, go on and end. */
export interface Shape {
  readonly provider: "openai" | "anthropic" | "gemini";
  readonly prefix: string;
  readonly path: string;
  readonly keyHeader: string;
  readonly begin: string;
  /** @param text of any length */
  readonly middle: (text: string) => string;
  readonly finish: string;
}

const named = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const unnamed = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;

export const SHAPES: readonly Shape[] = [
  {
    provider: "openai",
    prefix: "/openai/v1",
    path: "/responses",
    keyHeader: "authorization",
    begin: named("response.created", { response: { id: "r" } }),
    middle: (delta) => named("response.output_text.delta", { delta }),
    finish: named("response.completed", {
      response: { usage: { input_tokens: 10, output_tokens: 5 } },
    }),
  },
  {
    provider: "anthropic",
    prefix: "/anthropic",
    path: "/v1/messages",
    keyHeader: "x-api-key",
    begin: named("message_start", { message: { usage: { input_tokens: 10, output_tokens: 1 } } }),
    middle: (text) =>
      named("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    finish:
      named("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }) +
      named("message_stop", {}),
  },
  {
    provider: "gemini",
    prefix: "/gemini",
    path: "/v1beta/models/m:streamGenerateContent?alt=sse",
    keyHeader: "x-goog-api-key",
    begin: unnamed({ candidates: [{ content: { parts: [{ text: "." }] } }] }),
    middle: (text) => unnamed({ candidates: [{ content: { parts: [{ text }] } }] }),
    finish: unnamed({
      candidates: [{ finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5 },
    }),
  },
];

export type ProviderAnswer = (response: ServerResponse, shape: Shape) => void | Promise<void>;

export interface GatewayBench extends AsyncDisposable {
  /** Starts the program, and resolves when it serves. It ends with the bench. */
  readonly start: () => Promise<RunningProgram>;
  readonly attempt: () => Promise<PlacedAttempt>;
  /** How the provider answers from now on. */
  answer: ProviderAnswer;
  /** Calls that have come to the provider whole. */
  readonly asked: () => number;
  /** Answers whose connection was closed under them. */
  readonly abandoned: () => number;
  /** A call as an agent makes it, through the bridge; its body is the caller's to send. */
  readonly open: (shape: Shape, token: string) => ClientRequest;
  readonly recorded: (runId: string) => Promise<readonly string[]>;
}

/** The gateway's own program between a job's bridge and a provider of all shapes. */
export async function openGatewayBench(databaseUrl: string): Promise<GatewayBench> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await tempFolder("gateway-bench"));
  const socketPath = join(folder.path, "g.sock");
  let asked = 0;
  let abandoned = 0;
  const provider = createServer((incoming, response) => {
    response.on("error", () => {});
    response.once("close", () => {
      abandoned += response.writableEnded ? 0 : 1;
    });
    incoming.resume().once("end", () => {
      asked += 1;
      const shape = SHAPES.find(({ path }) => incoming.url?.endsWith(path) === true);
      void bench.answer(response, shape as Shape);
    });
  });
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  undo.defer(async () => {
    provider.closeAllConnections();
    provider.close();
    await once(provider, "close");
  });
  const origin = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const run = (main: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
    const program = startProgram(main, args, { env, timeoutMs: 600_000 });
    undone.defer(async () => {
      program.kill("SIGKILL");
      await program.result;
    });
    return program;
  };
  const undone = undo.use(new AsyncDisposableStack());
  const port = await freePort();
  run(BRIDGE, ["--port", String(port), socketPath], {});
  const agent = new Agent({ keepAlive: true });
  undo.defer(() => agent.destroy());
  const owned = undo.move();
  const bench: GatewayBench = {
    async start() {
      const program = run(MAIN, [], {
        // What lies in a young generation that may grow says nothing of what is held.
        NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=4",
        DATABASE_URL: databaseUrl,
        SPECKIT_GATEWAY_SOCKET: socketPath,
        SPECKIT_LOG_LEVEL: "error",
        CODEX_API_KEY: KEY,
        SPECKIT_CODEX_BASE_URL: `${origin}/v1`,
        ANTHROPIC_API_KEY: KEY,
        SPECKIT_ANTHROPIC_BASE_URL: origin,
        GEMINI_API_KEY: KEY,
        SPECKIT_GEMINI_BASE_URL: origin,
      });
      await eventually("the gateway serves behind its bridge", () => isAlive(port), Boolean, {
        withinMs: 60_000,
      });
      return program;
    },
    attempt: () => placeAttempt(databaseUrl),
    answer: completed,
    asked: () => asked,
    abandoned: () => abandoned,
    open: ({ prefix, path, keyHeader }, token) =>
      request({
        host: "127.0.0.1",
        port,
        agent,
        method: "POST",
        path: `${prefix}${path}`,
        headers: {
          [keyHeader]: keyHeader === "authorization" ? `Bearer ${token}` : token,
          "content-type": "application/json",
        },
      }),
    recorded: async (runId) =>
      (
        await rowsOf<{ outcome: string }>(
          databaseUrl,
          "SELECT call ->> 'outcome' AS outcome FROM spec_workflow_model_calls WHERE run_id = $1 ORDER BY id",
          [runId],
        )
      ).map(({ outcome }) => outcome),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return bench;
}

export const EVENT_STREAM = { "content-type": "text/event-stream" };

/** A whole stream. */
export function completed(response: ServerResponse, { begin, finish }: Shape): void {
  response.writeHead(200, EVENT_STREAM);
  response.end(begin + finish);
}

async function isAlive(port: number): Promise<boolean> {
  const asked = get({ host: "127.0.0.1", port, path: "/healthz", agent: false });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  return answer.statusCode === 200;
}
