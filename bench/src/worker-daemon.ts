import { mkdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, startGuarded } from "@speckit/private-broker";

const MAIN = fileURLToPath(import.meta.resolve("@speckit/worker/main"));
const READY_WITHIN_MS = 60_000;
const DRAINED_WITHIN_MS = 10_000;

export interface WorkerDaemon extends AsyncDisposable {
  readonly pid: number;
}

/** Starts the worker daemon as it is, and resolves when it takes work. It cannot outlive us. */
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
  const daemon = await startGuarded(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      DATABASE_URL: databaseUrl,
      AMQP_URL: amqpUrl,
      SPECKIT_AMQP_PREFIX: amqpPrefix,
      SPECKIT_HOME: folder,
      SPECKIT_RUNTIME: "process",
      SPECKIT_HEALTH_PORT: String(port),
      SPECKIT_LOG_LEVEL: "error",
      ...env,
    },
    logPath: `${folder}/worker.log`,
    signalOnOurDeath: "KILL",
  });
  const stop = () => daemon.end("SIGTERM", DRAINED_WITHIN_MS);
  let hasEnded = false;
  void daemon.ended.then(() => {
    hasEnded = true;
  });
  const untilMs = performance.now() + READY_WITHIN_MS;
  while ((await readiness(port)) !== 200) {
    if (hasEnded || performance.now() > untilMs) {
      await stop();
      throw new Error(`The worker daemon is not ready:\n${await daemon.lastLines(20)}`);
    }
    await pause(50);
  }
  return { pid: daemon.pid, [Symbol.asyncDispose]: stop };
}

async function readiness(port: number): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status;
}
