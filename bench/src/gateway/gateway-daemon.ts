import { mkdir } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startGuarded } from "@speckit/private-broker";

const MAIN = fileURLToPath(import.meta.resolve("@speckit/gateway/main"));
const READY_WITHIN_MS = 60_000;
const DRAINED_WITHIN_MS = 10_000;
/**
 * The gateway's heap, and the part of it for what is young, of which V8 takes up to three times as much. On
 * larger ones the collector lets garbage lie that says nothing of what is held.
 */
const HEAP_MIB = 96;
const YOUNG_MIB = 4;

export interface GatewayDaemon extends AsyncDisposable {
  readonly pid: number;
  readonly socketPath: string;
}

/** Starts the gateway's program as it is, and resolves when it serves. It cannot outlive us. */
export async function startGatewayDaemon(options: {
  readonly folder: string;
  readonly databaseUrl: string;
  /** Of each provider. */
  readonly baseUrls: Readonly<Record<"openai" | "anthropic" | "gemini", string>>;
}): Promise<GatewayDaemon> {
  const { folder, databaseUrl, baseUrls } = options;
  await mkdir(folder, { recursive: true });
  const socketPath = join(folder, "g.sock");
  const daemon = await startGuarded(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB} --max-semi-space-size=${YOUNG_MIB}`,
      DATABASE_URL: databaseUrl,
      SPECKIT_GATEWAY_SOCKET: socketPath,
      SPECKIT_LOG_LEVEL: "error",
      CODEX_API_KEY: "sk-bench",
      SPECKIT_CODEX_BASE_URL: baseUrls.openai,
      ANTHROPIC_API_KEY: "sk-bench",
      SPECKIT_ANTHROPIC_BASE_URL: baseUrls.anthropic,
      GEMINI_API_KEY: "sk-bench",
      SPECKIT_GEMINI_BASE_URL: baseUrls.gemini,
    },
    logPath: `${folder}/gateway.log`,
    signalOnOurDeath: "KILL",
  });
  const stop = () => daemon.end("SIGTERM", DRAINED_WITHIN_MS);
  let hasEnded = false;
  void daemon.ended.then(() => {
    hasEnded = true;
  });
  const endMs = performance.now() + READY_WITHIN_MS;
  while (!(await isServing(socketPath))) {
    if (hasEnded || performance.now() > endMs) {
      await stop();
      throw new Error(`The gateway does not serve: ${folder}/gateway.log`);
    }
    await pause(100);
  }
  return { pid: daemon.pid, socketPath, [Symbol.asyncDispose]: async () => void (await stop()) };
}

function isServing(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  get({ socketPath, path: "/healthz", agent: false }, (answer: IncomingMessage) => {
    answer.resume();
    resolve(answer.statusCode === 200);
  }).on("error", () => resolve(false));
  return promise;
}
