import { statfsSync } from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { openBridge } from "./bridge.mjs";
import { CountedStream } from "./counted-stream.mjs";
import { probeEgress } from "./probe-egress.mjs";
import { openStdin, readJob } from "./read-job.mjs";
import { readSecrets } from "./read-secrets.mjs";
import { exitCodes, Refused } from "./refused.mjs";
import { startAgent } from "./run-agent.mjs";
import { takeTicket } from "./take-ticket.mjs";
import { watchAttempt } from "./watch-attempt.mjs";

const passedOn = /** @type {const} */ (["SIGTERM", "SIGINT", "SIGHUP"]);

/**
 * The life of a job in its container: read the job and its secrets, show that it is closed, take the start ticket, run
 * the agent while the attempt is live, and say at the end where its output ends. Resolves with the exit code.
 *
 * The last line on stdout is always ours: `exit` with how the agent ended, or `refused` with why it did not start or
 * was stopped. A container without that line was ended from outside.
 *
 * @param {string} path of job.json
 * @returns {Promise<number>}
 */
export async function runJob(path) {
  const out = { stdout: new CountedStream(1), stderr: new CountedStream(2) };
  /** @type {Record<string, unknown>} */
  let trailer;
  let code;
  try {
    const { exitCode, signal } = await carry(path, out);
    trailer = { speckit: "exit", v: 1, exitCode, signal };
    code = exitCode ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
  } catch (error) {
    const refused = asRefused(error);
    trailer = {
      speckit: "refused",
      v: 1,
      code: refused.code,
      detail: refused.message,
      ...refused.facts,
    };
    code = exitCodes[refused.code];
    await out.stderr.endLine();
    await out.stderr.writeLine({
      speckit: refused.code,
      detail: refused.message,
      ...refused.facts,
    });
  }
  await out.stderr.endLine();
  await out.stdout.endLine();
  await out.stdout.writeLine({
    ...trailer,
    stdoutBytes: out.stdout.bytes,
    stderrBytes: out.stderr.bytes,
  });
  return code;
}

/**
 * @param {string} path
 * @param {{ stdout: CountedStream, stderr: CountedStream }} out
 */
async function carry(path, out) {
  const stopped = new AbortController();
  /** @type {(signal: NodeJS.Signals) => void} */
  let onSignal = (signal) =>
    stopped.abort(new Refused("not_started", `${signal} before the start`));
  for (const signal of passedOn) process.on(signal, () => onSignal(signal));

  const job = readJob(path);
  refuseWithoutSpace(dirname(path), job.freeBytesFloor);
  const stdin = openStdin(job.stdin);
  const secrets = await readSecrets(job, stopped.signal);
  for (const stream of Object.values(out)) stream.hide(Object.values(secrets));
  await openBridge(job.bridgePort, job.gateway);
  await probeEgress(job, stopped.signal);
  await takeTicket(job, stopped.signal);
  stopped.signal.throwIfAborted();
  const agent = await startAgent({ ...job, env: { ...job.env, ...secrets } }, stdin, out);
  onSignal = agent.signal;

  const ended = new AbortController();
  const watch = watchAttempt(job, ended.signal).then((reason) => {
    if (reason !== undefined) agent.signal("SIGKILL");
    return reason;
  });
  const exit = await agent.exit;
  ended.abort();
  const fenced = await watch;
  if (fenced !== undefined) throw new Refused("fenced", fenced);
  return exit;
}

/**
 * @param {string} folder
 * @param {number} floor
 */
function refuseWithoutSpace(folder, floor) {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= floor) return;
  throw new Refused("no_space", `${freeBytes} bytes are free, ${floor} are wanted`, { freeBytes });
}

/**
 * Anything unforeseen before the agent runs (no job.json, the bridge's port taken) means that it was not started.
 *
 * @param {unknown} error
 */
function asRefused(error) {
  if (error instanceof Refused) return error;
  const { code: errno, message } = /** @type {NodeJS.ErrnoException} */ (error);
  return new Refused("not_started", message, errno === undefined ? {} : { errno });
}
