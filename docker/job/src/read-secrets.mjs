import { Refused } from "./refused.mjs";

const maxBytes = 1024 * 1024;

/**
 * The agent's secrets, from the first line of stdin: they are kept in memory, and given to the agent's environment
 * alone. Whoever starts the container writes them right after; one who died over it leaves an end, or nothing.
 *
 * Nothing that came is ever part of a message.
 *
 * @param {import("./read-job.mjs").JobFile} job
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, string>>} those that the job names, all of them
 */
export async function readSecrets({ secrets: names, secretsWithinMs }, signal) {
  if (names.length === 0) return {};
  const line = await firstLine(AbortSignal.timeout(secretsWithinMs), signal);
  const given = parse(line);
  const missing = names.filter((name) => typeof given[name] !== "string");
  if (missing.length > 0) throw missed(`${missing.join(", ")} did not come`);
  return Object.fromEntries(names.map((name) => [name, String(given[name])]));
}

/**
 * @param {AbortSignal} late
 * @param {AbortSignal} stopped
 * @returns {Promise<string>}
 */
function firstLine(late, stopped) {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    stdin.on("data", (/** @type {Buffer} */ piece) => {
      bytes = Buffer.concat([bytes, piece]);
      const end = bytes.indexOf(10);
      if (end !== -1) resolve(bytes.toString("utf8", 0, end));
      else if (bytes.length > maxBytes) reject(missed(`more than ${maxBytes} bytes came`));
    });
    stdin.once("end", () => reject(missed("stdin ended before they came")));
    stdin.once("error", () => reject(missed("stdin cannot be read")));
    late.addEventListener("abort", () => reject(missed("they did not come in time")));
    stopped.addEventListener("abort", () => reject(stopped.reason));
    if (stopped.aborted) reject(stopped.reason);
  }).finally(() => {
    stdin.removeAllListeners("data");
    stdin.pause();
  });
}

/**
 * @param {string} line
 * @returns {Record<string, unknown>}
 */
function parse(line) {
  try {
    return Object(JSON.parse(line).secrets);
  } catch {
    // The parser's own words would have some of it.
    throw missed("what came cannot be read");
  }
}

/** @param {string} why */
function missed(why) {
  return new Refused("secrets_missing", why);
}
