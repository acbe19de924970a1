import { fileURLToPath } from "node:url";
import { freePort } from "@speckit/private-broker";
import { eventually } from "@speckit/testkit/program";
import { execa } from "execa";

const MAIN = fileURLToPath(import.meta.resolve("@speckit/worker/main"));

/** A fixed number of worker processes: each that ends gets a successor. */
export interface WorkerCrew extends AsyncDisposable {
  /**
   * SIGKILL to the n-th; it is replaced at once, as a supervisor of processes would. While one of them
   * is still loading all are let be: on a slow machine nobody would ever get to work.
   */
  readonly kill: (ix: number) => Promise<void>;
  readonly killed: () => number;
  /** Resolves when all of them take work. */
  readonly ready: () => Promise<void>;
  /** Ends all by SIGTERM. @returns what did not end well, one line each, also from before */
  readonly drain: () => Promise<readonly string[]>;
}

/** Starts the workers, each with a state folder and a log of its own, kept by its successors. */
export async function startCrew(options: {
  readonly count: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<WorkerCrew> {
  const ports = await Promise.all(Array.from({ length: options.count }, () => freePort()));
  const problems: string[] = [];
  let killed = 0;
  let isOver = false;

  const launch = (ix: number) => {
    const name = `worker-${ix + 1}`;
    const child = execa(process.execPath, [MAIN], {
      env: {
        ...options.env,
        SPECKIT_HOME: `${options.folder}/state/${name}`,
        SPECKIT_HEALTH_PORT: String(ports[ix]),
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: { file: `${options.folder}/${name}.log`, append: true },
      buffer: false,
      reject: false,
      forceKillAfterDelay: 20_000,
    });
    void child.then(({ exitCode, signal }) => {
      const isOurs = signal === "SIGKILL" && !isOver;
      if (!isOurs && exitCode !== 0) {
        problems.push(`${name} ended with exit code ${exitCode}, signal ${signal}`);
      }
      if (!isOver) {
        crew[ix] = launch(ix);
      }
    });
    return child;
  };
  const crew = Array.from({ length: options.count }, (_, ix) => launch(ix));

  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    isOver = true;
    await Promise.all(
      crew.map((child) => {
        child.kill(signal);
        return child;
      }),
    );
  };
  return {
    async kill(ix) {
      const areUp = await Promise.all(ports.map(isUp));
      if (areUp.every(Boolean) && crew[ix]?.kill("SIGKILL") === true) {
        killed += 1;
      }
    },
    killed: () => killed,
    async ready() {
      for (const [ix, port] of ports.entries()) {
        await eventually(
          `worker-${ix + 1} takes work`,
          async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status,
          (status) => status === 200,
          { withinMs: 60_000, everyMs: 100 },
        );
      }
    },
    async drain() {
      await end("SIGTERM");
      return problems;
    },
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}

/** Its process answers, whatever else it waits for. */
async function isUp(port: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1_000);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false;
  }
}
