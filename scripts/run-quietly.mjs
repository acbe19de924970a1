import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isGroupAlive } from "./process-alive.mjs";
import { announce, Refusal } from "./refusal.mjs";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a command to its end with its output in a log file; resolves with its exit code and that output.
 *
 * The command gets its own process group, so that an interrupt ends all of it, and a file rather than a pipe, so that
 * it can end cleanly if this process is killed. `patient`: the first signal lets it finish (a package manager cut in
 * the middle leaves the machine broken), the second one ends it.
 */
export async function runQuietly(
  command,
  args,
  { cwd, env = process.env, logPath, patient = false, onGroup = () => {} },
) {
  const log = openSync(logPath, "w");
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", log, log] });
  let received;
  const onSignal = (signal) => {
    const first = received === undefined;
    received = signal;
    if (patient && first) announce("finishing the installation first; once more to cut it off");
    else signalGroup(child.pid, "SIGTERM");
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    if (child.pid !== undefined) onGroup(child.pid);
    const code = await new Promise((resolve, reject) => {
      child.once("error", (error) => reject(cannotStart(command, error)));
      child.once("exit", (exitCode, signal) =>
        resolve(exitCode ?? 128 + constants.signals[signal]),
      );
    });
    if (!patient) await endOfGroup(child.pid);
    if (received !== undefined) throw new Refusal("interrupted", 128 + constants.signals[received]);
    return { code, output: readFileSync(logPath, "utf8") };
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    closeSync(log);
  }
}

function cannotStart(command, error) {
  return new Refusal(
    `cannot start ${command}: ${error.code}. Install it or put it on PATH, then run this again.`,
    78,
  );
}

/** A package manager's own children may outlive it for a moment; they get five seconds. */
async function endOfGroup(group) {
  const killAt = Date.now() + 5_000;
  while (isGroupAlive(group)) {
    if (Date.now() > killAt) signalGroup(group, "SIGKILL");
    await sleep(50);
  }
}

function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** The lines of a failed command's output that tell most: its end. */
export function tail(output, lines = 15) {
  return output.trimEnd().split("\n").slice(-lines).join("\n");
}
