import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

export interface SpawnedProgram {
  /** What it has said so far. */
  readonly said: { readonly stdout: string; readonly stderr: string };
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<{
    readonly exitCode: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/** Starts a program and reads along; it is ended with the test, however that ends. */
export function spawnProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): SpawnedProgram {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, HOME: "/nonexistent", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said.stderr += text;
  });
  return {
    said,
    kill: (signal) => void child.kill(signal),
    ended: once(child, "close").then(([exitCode]) => ({ exitCode, ...said })),
  };
}
