import { execa, type Options } from "execa";
import { bundled } from "./bundled-programs.ts";

export interface ProgramResult {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly result: Promise<ProgramResult>;
}

/**
 * Starts a program of this repository as people do, under this Node, with nothing of the test's own
 * environment but PATH and where Node keeps compiled code.
 */
export function startProgram(
  main: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string | Uint8Array;
    readonly timeoutMs?: number;
  } = {},
): RunningProgram {
  const { env, cwd, input, timeoutMs } = options;
  const compiled = process.env.NODE_COMPILE_CACHE;
  const settings: Options = {
    // Whatever engine the machine has: a test that wants containers says so.
    env: {
      PATH: process.env.PATH ?? "",
      HOME: "/nonexistent",
      SPECKIT_RUNTIME: "process",
      ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
      ...env,
    },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs ?? 180_000,
    killSignal: "SIGKILL",
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  };
  const child = execa(process.execPath, [bundled(main), ...args], settings);
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    result: child.then((done) => ({
      exitCode: done.exitCode,
      signal: done.signal,
      stdout: String(done.stdout),
      stderr: String(done.stderr),
    })),
  };
}

export async function runProgram(...call: Parameters<typeof startProgram>): Promise<ProgramResult> {
  return startProgram(...call).result;
}
