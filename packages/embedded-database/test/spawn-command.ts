import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface SpokenCommand {
  readonly child: ChildProcess;
  readonly startedByThisCall: boolean;
  readonly at: string;
}

/** Starts `command.ts` and waits for what it says. */
export async function spawnCommand(stateDir: string, idleStopMs: number): Promise<SpokenCommand> {
  const child = startCommand(stateDir, idleStopMs);
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, ...JSON.parse(line) };
}

export function startCommand(stateDir: string, idleStopMs: number) {
  const file = fileURLToPath(new URL("./command.ts", import.meta.url));
  return spawn(process.execPath, [file, stateDir, String(idleStopMs)], {
    // A process group of its own, as a shell gives to each job.
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** Tells it to go; its exit code. */
export async function endCommand({ child }: SpokenCommand): Promise<number> {
  child.stdin?.write("go\n");
  const [code] = await once(child, "exit");
  return code;
}
