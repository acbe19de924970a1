import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findOpenWays } from "./find-open-ways.mjs";

/** The version of what worker and image have agreed on; the image's label `speckit.job-contract` says the same. */
export const contract = 2;

const programs = { git: ["--version"], bash: ["--version"] };
/** Agents this project knows; an image needs one, and may bring others. */
const agents = {
  codex: ["--version"],
  claude: ["--version"],
  gemini: ["--version"],
  opencode: ["--version"],
};
/** Where a job's volume is mounted. */
const volume = "/speckit";

/**
 * What this image brings and how this container was started. `missing` names what the contract asks for and is not
 * there; `isHardened` says whether the container looks as a worker makes it.
 */
export async function selfCheck() {
  const found = versions(programs);
  const foundAgents = versions(agents);
  const uid = process.getuid?.() ?? -1;
  const mounts = mountOptions();
  const isVolumeMounted = mounts.has(volume);
  const readOnlyRoot = mounts.get("/")?.includes("ro") === true;
  const homeWritable = isWritable(`${volume}/home`);
  const tmpWritable = isWritable("/tmp");
  const openWays = await findOpenWays();
  const missing = [
    ...Object.keys(programs).filter((name) => found[name] === null),
    ...(Object.values(foundAgents).some((version) => version !== null)
      ? []
      : [`an agent (one of ${Object.keys(agents).join(", ")})`]),
    ...(uid === 0 ? ["a user other than root"] : []),
    ...(tmpWritable ? [] : ["a writable /tmp"]),
    // Without a volume a read-only root has no HOME: that is how it was started, not what the image lacks.
    ...(homeWritable || (readOnlyRoot && !isVolumeMounted) ? [] : [`a writable ${volume}/home`]),
  ];
  return {
    contract,
    ok: missing.length === 0,
    missing,
    node: process.version,
    ...found,
    agents: foundAgents,
    uid,
    gid: process.getgid?.() ?? -1,
    isHardened: readOnlyRoot && isVolumeMounted && openWays.length === 0 && noNewPrivileges(),
    readOnlyRoot,
    isVolumeMounted,
    homeWritable,
    tmpWritable,
    openWays,
  };
}

/**
 * @param {Record<string, string[]>} asked
 * @returns {Record<string, string | null>} the first line each prints, null when it does not run
 */
function versions(asked) {
  return Object.fromEntries(
    Object.entries(asked).map(([name, args]) => {
      const run = spawnSync(name, args, { encoding: "utf8", timeout: 10_000 });
      return [name, run.status === 0 ? (run.stdout.split("\n")[0] ?? "") : null];
    }),
  );
}

/** @param {string} folder */
function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    rmSync(mkdtempSync(join(folder, ".speckit-check-")), { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** Mount points with the options of each; the topmost one counts. */
function mountOptions() {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const fields = line.split(" ");
      return [fields[4], (fields[5] ?? "").split(",")];
    }),
  );
}

function noNewPrivileges() {
  return /^NoNewPrivs:\s*1$/m.test(readFileSync("/proc/self/status", "utf8"));
}
