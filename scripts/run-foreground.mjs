import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { Refusal } from "./refusal.mjs";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
/** Taken when the script starts: npm may die while dependencies are being installed. */
const parent = process.ppid;
/** npm repeats an interrupt the terminal has delivered already; repeated within this time, it counts once. */
const sameSignalMs = 500;

/**
 * Runs a program with this process's terminal and resolves with its exit code (128 + n when a signal ended it).
 *
 * Signals sent to this process alone are passed on, and it stays until the program has ended, so nothing is orphaned.
 * An interrupt typed at a terminal reaches the program from the terminal itself and is not sent twice: to many programs
 * the second one means "stop at once".
 */
export async function runForeground(command, args, { cwd, env = process.env } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: "inherit" });
  const lastSent = new Map();
  const onSignal = (signal) => {
    if (signal === "SIGINT" && ownsTerminal()) return;
    const now = Date.now();
    if (now - (lastSent.get(signal) ?? 0) < sameSignalMs) return;
    lastSent.set(signal, now);
    child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, onSignal);
  const watch = watchNpm(() => onSignal("SIGTERM"));
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error) =>
        reject(new Refusal(`cannot start ${command}: ${error.code}`, 78)),
      );
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    clearInterval(watch);
    for (const signal of forwarded) process.off(signal, onSignal);
  }
}

/** npm passes no SIGHUP on, and no process passes SIGKILL on: when npm is gone, so is whoever asked for this. */
function watchNpm(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    onGone();
  }, 1_000).unref();
  return watch;
}

/** Whether this process is in the foreground group of a terminal (Linux: /proc; elsewhere: stdin is one). */
function ownsTerminal() {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === foreground;
  } catch {
    return process.stdin.isTTY === true;
  }
}
