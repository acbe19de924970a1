import { mkdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "@speckit/private-broker";
import { execa } from "execa";

const MAIN = fileURLToPath(import.meta.resolve("@speckit/worker/main"));
const READY_WITHIN_MS = 60_000;

export interface WorkerDaemon extends AsyncDisposable {
  readonly pid: number;
}

/** Starts the worker daemon as it is, and resolves when it takes work. */
export async function startWorkerDaemon(options: {
  /** Its state folder. */
  readonly folder: string;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly amqpPrefix: string;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<WorkerDaemon> {
  const { folder, databaseUrl, amqpUrl, amqpPrefix, env } = options;
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const child = execa(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH ?? "",
      DATABASE_URL: databaseUrl,
      AMQP_URL: amqpUrl,
      SPECKIT_AMQP_PREFIX: amqpPrefix,
      SPECKIT_HOME: folder,
      SPECKIT_HEALTH_PORT: String(port),
      SPECKIT_LOG_LEVEL: "error",
      ...env,
    },
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
    buffer: false,
    reject: false,
    forceKillAfterDelay: 20_000,
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child;
  };
  let hasEnded = false;
  void child.finally(() => {
    hasEnded = true;
  });
  const untilMs = performance.now() + READY_WITHIN_MS;
  while ((await readiness(port)) !== 200) {
    if (hasEnded || performance.now() > untilMs) {
      await stop();
      throw new Error("The worker daemon did not become ready");
    }
    await pause(50);
  }
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
}

async function readiness(port: number): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status;
}
