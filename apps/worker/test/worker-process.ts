import { fileURLToPath } from "node:url";
import { freePort } from "@speckit/private-broker";
import { eventually, type RunningProgram, startProgram } from "@speckit/testkit";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const WITH_FAILPOINTS = fileURLToPath(new URL("./failpoint-worker.ts", import.meta.url));

export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly result: RunningProgram["result"];
  /** Asks its health server. */
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  readonly readiness: () => Promise<{ readonly status: number; readonly body: unknown }>;
}

export interface WorkerSettings {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly prefix: string;
  readonly stateDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of a failpoint plan; without it the worker is the real program. */
  readonly failpoints?: string;
  /** Another version of the program, without failpoints. Default this one. */
  readonly main?: string;
  /** How long it may live at all. Default 600 000. */
  readonly timeoutMs?: number;
}

/** Short leases, so that a takeover by lease takes seconds; the shortest there is. */
export const QUICK = {
  SPECKIT_LEASE_MS: "6000",
  SPECKIT_HEARTBEAT_MS: "1000",
  SPECKIT_SWEEP_MS: "1000",
};

/** Starts a worker daemon without waiting for anything. */
export async function launchWorker(settings: WorkerSettings): Promise<WorkerProcess> {
  const port = await freePort();
  const { failpoints, timeoutMs = 600_000 } = settings;
  const [main, args] =
    failpoints === undefined || settings.main !== undefined
      ? [settings.main ?? MAIN, []]
      : ([WITH_FAILPOINTS, [failpoints]] as const);
  const program = startProgram(main, args, {
    timeoutMs,
    env: {
      DATABASE_URL: settings.databaseUrl,
      AMQP_URL: settings.amqpUrl,
      SPECKIT_AMQP_PREFIX: settings.prefix,
      SPECKIT_HOME: settings.stateDir,
      SPECKIT_REPOSITORIES: "file:///*",
      SPECKIT_HEALTH_PORT: String(port),
      SPECKIT_LOG_LEVEL: "debug",
      ...QUICK,
      ...settings.env,
    },
  });
  const get: WorkerProcess["get"] = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
  return {
    ...program,
    get,
    async readiness() {
      const answer = await get("/readyz");
      return { status: answer.status, body: await answer.json() };
    },
    async [Symbol.asyncDispose]() {
      program.kill("SIGKILL");
      await program.result;
    },
  };
}

/** Resolves when the worker takes work, or has ended: then with what it said. */
export async function untilReady(worker: WorkerProcess): Promise<string | undefined> {
  let ended: string | undefined;
  void worker.result.then((done) => {
    ended = `exit ${done.exitCode}\n${done.stderr}`;
  });
  const seen = await eventually(
    "the worker is ready",
    async () => ended ?? (await worker.readiness()).status,
    (status) => status === 200 || typeof status === "string",
    { withinMs: 120_000, everyMs: 50 },
  );
  return typeof seen === "string" ? seen : undefined;
}

/** Starts a worker daemon and resolves when it takes work. */
export async function startWorkerProcess(settings: WorkerSettings): Promise<WorkerProcess> {
  const worker = await launchWorker(settings);
  const ended = await untilReady(worker);
  if (ended !== undefined) {
    throw new Error(`The worker ended: ${ended}`);
  }
  return worker;
}
