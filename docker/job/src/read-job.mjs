import { openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/**
 * What the worker has put into the job's volume beside its workspace.
 *
 * @typedef {object} JobFile
 * @property {1 | 2} v 2: there are secrets
 * @property {[string, ...string[]]} argv the agent's command
 * @property {Record<string, string>} env added to the small base environment
 * @property {string[]} secrets variables whose values come over stdin; default none
 * @property {number} secretsWithinMs how long they are waited for; default 60 000
 * @property {string} cwd
 * @property {string | undefined} stdin a file, removed once it is open; without it the agent reads the end at once
 * @property {string} token the start token; the agent never sees it
 * @property {string} gateway path of the gateway's socket
 * @property {number} bridgePort
 * @property {number} freeBytesFloor of the volume; below it no agent is started
 * @property {number} livenessMs how often the attempt is asked for
 * @property {number} giveUpMs how long the agent goes on without an answer
 * @property {number} ticketWithinMs how long a start ticket is asked for; default 60 000
 * @property {string[]} deniedTargets tried besides those that are tried anyway; default none
 * @property {string} home
 */

/**
 * Reads the job and removes its file: it holds a token, and a container that is started again finds none.
 *
 * @param {string} path
 * @returns {JobFile}
 */
export function readJob(path) {
  const text = readFileSync(path, "utf8");
  rmSync(path);
  const job = JSON.parse(text);
  if (job.v !== 1 && job.v !== 2)
    throw new Error(`job.json has version ${job.v}, this image knows versions 1 and 2`);
  for (const [name, type] of fields) {
    const isRight = type === "array" ? Array.isArray(job[name]) : typeof job[name] === type;
    if (!isRight) throw new Error(`job.json has no ${name}`);
  }
  const defaults = {
    ticketWithinMs: 60_000,
    secretsWithinMs: 60_000,
    secrets: [],
    deniedTargets: [],
  };
  return { ...defaults, ...job, home: `${dirname(path)}/home` };
}

/** @type {readonly (readonly [string, string])[]} */
const fields = [
  ["argv", "array"],
  ["env", "object"],
  ["cwd", "string"],
  ["token", "string"],
  ["gateway", "string"],
  ["bridgePort", "number"],
  ["freeBytesFloor", "number"],
  ["livenessMs", "number"],
  ["giveUpMs", "number"],
];

/**
 * Opens the agent's input and takes its name away: it is read once.
 *
 * @param {string | undefined} path
 * @returns {number | "ignore"} a descriptor
 */
export function openStdin(path) {
  if (path === undefined) return "ignore";
  const descriptor = openSync(path, "r");
  rmSync(path);
  return descriptor;
}
