import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "@speckit/private-broker";
import { execa } from "execa";
import type { Services } from "./open-services.ts";

const MAIN = fileURLToPath(import.meta.resolve("@speckit/worker/main"));
const READY_WITHIN_MS = 60_000;

export interface WorkerProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** SIGTERM, then its exit code. */
  readonly drain: () => Promise<number | undefined>;
}

/** Starts worker daemons as processes of their own and resolves when all of them take work. */
export async function startWorkers(options: {
  readonly count: number;
  readonly folder: string;
  readonly services: Services;
  readonly env: Readonly<Record<string, string>>;
  readonly undo: AsyncDisposableStack;
}): Promise<readonly WorkerProcess[]> {
  const { count, folder, services, env, undo } = options;
  return Promise.all(
    Array.from({ length: count }, async (_, ix) => {
      const name = `worker-${ix + 1}`;
      const port = await freePort();
      const logPath = `${folder}/${name}.log`;
      const child = launch(logPath, {
        ...env,
        DATABASE_URL: services.databaseUrl,
        AMQP_URL: services.amqpUrl,
        SPECKIT_HEALTH_PORT: String(port),
      });
      const worker = undo.use(workerProcess(name, logPath, child));
      await untilReady(name, port, logPath, child);
      return worker;
    }),
  );
}

function launch(logPath: string, env: Readonly<Record<string, string>>) {
  return execa(process.execPath, [MAIN], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: { file: logPath },
    buffer: false,
    reject: false,
    forceKillAfterDelay: 20_000,
  });
}

type Child = ReturnType<typeof launch>;

function workerProcess(name: string, logPath: string, child: Child): WorkerProcess {
  const drain = async (): Promise<number | undefined> => {
    child.kill("SIGTERM");
    return (await child).exitCode;
  };
  return {
    name,
    pid: child.pid ?? 0,
    logPath,
    drain,
    async [Symbol.asyncDispose]() {
      await drain();
    },
  };
}

async function untilReady(
  name: string,
  port: number,
  logPath: string,
  child: Child,
): Promise<void> {
  let ended = false;
  void child.finally(() => {
    ended = true;
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) {
      return;
    }
    if (ended || performance.now() > deadline) {
      throw new Error(`${name} did not become ready; its log: ${logPath}`);
    }
    await delay(100);
  }
}
