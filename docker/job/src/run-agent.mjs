import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CountedStream } from "./counted-stream.mjs";
import { Refused } from "./refused.mjs";

/** @typedef {import("node:stream").Readable} Pipe */

/**
 * What the agent itself wrote is in its pipe when it is gone, and a pipe holds less than `pipeBytes`. A process that has
 * left the agent's group may hold the pipe open for ever: its end is not waited for once nothing came for `quietMs`.
 */
const quietMs = 250;
const lookMs = 50;
const pipeBytes = 8 * 1024 * 1024;

/**
 * Runs the agent in a process group of its own, to its end.
 *
 * Its output passes through this process, so that the container's streams have one owner, who can say where the agent's
 * part of them ends. A reader that is slow holds the agent back; nothing piles up here.
 *
 * @param {import("./read-job.mjs").JobFile} job
 * @param {number | "ignore"} stdin
 * @param {{ stdout: CountedStream, stderr: CountedStream }} out
 */
export async function startAgent(job, stdin, out) {
  if (!(await isFolder(job.cwd)))
    throw new Refused("not_started", `no folder ${job.cwd}`, { errno: "ENOENT" });
  const [command, ...args] = job.argv;
  const child = /** @type {import("node:child_process").ChildProcessByStdio<null, Pipe, Pipe>} */ (
    spawn(command, args, {
      cwd: job.cwd,
      env: environment(job),
      detached: true,
      stdio: [stdin, "pipe", "pipe"],
    })
  );
  if (stdin !== "ignore") closeSync(stdin);
  const exited = new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  await new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (/** @type {NodeJS.ErrnoException} */ error) =>
      reject(new Refused("not_started", `${command}: ${error.code}`, { errno: error.code })),
    );
  });
  const copies = Promise.all([out.stdout.copy(child.stdout), out.stderr.copy(child.stderr)]);
  /** @param {NodeJS.Signals} signal */
  const signalGroup = (signal) => {
    try {
      process.kill(-(/** @type {number} */ (child.pid)), signal);
    } catch {
      // Nothing of it is left.
    }
  };
  return { signal: signalGroup, exit: exit() };

  /** @returns {Promise<{ exitCode: number | null, signal: NodeJS.Signals | null }>} */
  async function exit() {
    const how = await exited;
    signalGroup("SIGKILL");
    await Promise.race([copies, drained(out)]);
    child.stdout.destroy();
    child.stderr.destroy();
    await copies;
    return how;
  }
}

/** @param {import("./read-job.mjs").JobFile} job */
function environment(job) {
  return {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: job.home,
    LANG: "C.UTF-8",
    TMPDIR: "/tmp",
    ...job.env,
  };
}

/** @param {{ stdout: CountedStream, stderr: CountedStream }} out */
async function drained({ stdout, stderr }) {
  const atEnd = stdout.bytes + stderr.bytes;
  let last = atEnd;
  let quietSince = performance.now();
  while (last - atEnd < pipeBytes && performance.now() - quietSince < quietMs) {
    await sleep(lookMs);
    const now = stdout.bytes + stderr.bytes;
    // While the container's own stream is held back, silence says nothing about what waits behind it.
    if (now !== last || stdout.isHeldBack || stderr.isHeldBack) quietSince = performance.now();
    last = now;
  }
}

/**
 * Asks the thread pool, which is so made while there is room: Node.js aborts where it cannot make one, and an agent
 * may take every process and thread its container has before it prints the first byte that the pool must pass on.
 *
 * @param {string} path
 */
async function isFolder(path) {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
