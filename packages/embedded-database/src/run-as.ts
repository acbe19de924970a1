import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { serverEnvironment } from "./server-environment.ts";
import type { ServerIdentity } from "./server-identity.ts";

/**
 * Starts a program as `identity` in a session of its own, so that neither Ctrl-C nor a hang-up
 * reaches it; what it prints goes to the end of `log`. The pid is the program's own.
 */
export function runAs(
  identity: ServerIdentity,
  program: string,
  args: readonly string[],
  { cwd, log }: { readonly cwd: string; readonly log: string },
): ChildProcess {
  const [first = program, ...rest] = [...identity.prefix, program, ...args];
  const output = openSync(log, "a", 0o600);
  try {
    return spawn(first, rest, {
      ...identity.spawnAs,
      cwd,
      detached: true,
      env: serverEnvironment(),
      stdio: ["ignore", output, output],
    });
  } finally {
    closeSync(output);
  }
}
