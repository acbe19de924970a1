import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * What nobody in a job may reach: the internet, of which one address stands for all, and what clouds tell their
 * machines about themselves.
 */
export const deniedTargets = ["1.1.1.1:443", "169.254.169.254:80"];

const withinMs = 2_000;
/** What says that nothing has left, or that nothing came back. A refusal has come from somewhere. */
const nothingThere =
  /^(ENETUNREACH|EHOSTUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL|EACCES|EPERM|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/;

/**
 * Looks for ways out of this container besides the gateway's socket: an interface with an address, a route, or a
 * target that answers. Takes 2 s at most.
 *
 * @param {readonly string[]} targets `host:port` or `[IPv6]:port`, each tried besides {@link deniedTargets}
 * @returns {Promise<string[]>} what was found, in words; empty: it is closed
 */
export async function findOpenWays(targets = []) {
  const tried = [...new Set([...deniedTargets, ...targets])];
  const answers = await Promise.all(tried.map(answerOf));
  return [...interfacesWithAddress(), ...routes(), ...answers.filter((answer) => answer !== "")];
}

function interfacesWithAddress() {
  return Object.entries(networkInterfaces())
    .filter(([name]) => name !== "lo")
    .map(([name, addresses = []]) => {
      const list = addresses.map(({ address }) => address).join(", ");
      return `interface ${name} (${list})`;
    });
}

/** By the kernel's tables, which also have routes that `networkInterfaces` knows no address for. */
function routes() {
  const names = [
    ...tableOf("/proc/self/net/route")
      .slice(1)
      .map((fields) => fields[0]),
    ...tableOf("/proc/self/net/ipv6_route").map((fields) => fields.at(-1)),
  ];
  return [...new Set(names)].filter((name) => name !== "lo").map((name) => `route by ${name}`);
}

/** @param {string} path absent where the kernel has no such protocol */
function tableOf(path) {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => line.trim().split(/\s+/));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return [];
    throw error;
  }
}

/**
 * @param {string} target
 * @returns {Promise<string>} empty when nothing answers
 */
function answerOf(target) {
  const at = target.lastIndexOf(":");
  const host = target.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(target.slice(at + 1)), timeout: withinMs });
    /** @param {string} answer */
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    setTimeout(settle, withinMs, "");
    socket.once("connect", () => settle(`${target} answers`));
    socket.once("error", (/** @type {NodeJS.ErrnoException} */ { code = "" }) =>
      settle(nothingThere.test(code) ? "" : `${target} answers with ${code}`),
    );
  });
}
