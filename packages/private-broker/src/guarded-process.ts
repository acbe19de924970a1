import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";

export interface GuardedProcess {
  readonly pid: number;
  /** How it ended, for people: `exit code 1` or `SIGKILL`. Never rejects. */
  readonly ended: Promise<string>;
  /** Sends a signal, waits for the end, and sends SIGKILL when that takes longer than `withinMs`. */
  readonly end: (signal: NodeJS.Signals, withinMs: number) => Promise<void>;
  /** The last lines it has printed, of both streams. */
  readonly lastLines: (count: number) => Promise<string>;
}

export interface GuardedProcessOptions {
  readonly cwd: string;
  /** All of its environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
  /** What the kernel sends it when this process dies in whatever way. */
  readonly signalOnOurDeath: "KILL" | "INT";
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Starts a server that cannot outlive this process: the kernel signals it when we die, also by
 * SIGKILL (`setpriv --pdeathsig`, which survives exec). It gets a process group of its own, so that
 * Ctrl-C in a terminal reaches us alone and we decide the order of things; it does not keep our
 * event loop alive. Call it from the main thread: the kernel counts the death of a thread. The race
 * left: a death of ours in the moment before `setpriv` has asked for the signal.
 */
export async function startGuarded(
  command: string,
  args: readonly string[],
  options: GuardedProcessOptions,
): Promise<GuardedProcess> {
  const log = openSync(options.logPath, "a");
  const guard = ["--pdeathsig", options.signalOnOurDeath, "--", command, ...args];
  const child = spawn("setpriv", guard, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["ignore", log, log],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  closeSync(log);
  child.unref();
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once("error", (error) => resolve(error.message));
  });
  const { pid } = child;
  if (pid === undefined) {
    throw new Error(`Cannot start ${command} through setpriv (package util-linux): ${await ended}`);
  }
  return {
    pid,
    ended,
    async end(signal, withinMs) {
      child.ref();
      child.kill(signal);
      const killer = setTimeout(() => child.kill("SIGKILL"), withinMs);
      await ended;
      clearTimeout(killer);
    },
    async lastLines(count) {
      const text = await readFile(options.logPath, "utf8").catch(() => "");
      return text.trimEnd().split("\n").slice(-count).join("\n");
    },
  };
}
