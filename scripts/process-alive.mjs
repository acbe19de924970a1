import { readdirSync, readFileSync } from "node:fs";

/** A process's start time in the kernel's ticks, undefined where there is no /proc: ids are reused, this and id are not. */
export function startOf(pid) {
  return readStat(pid)?.started;
}

/** Whether the process that had this id and start time still runs. */
export function isProcessAlive(pid, started) {
  if (!answersSignal(pid)) return false;
  const stat = readStat(pid);
  return stat === undefined || (stat.started === started && !stat.isDead);
}

/**
 * Whether any process of the group still runs.
 *
 * A killed process answers signals until its parent has collected it, and in a container without an init nobody may
 * ever do so: where /proc tells, such a one is dead.
 */
export function isGroupAlive(group) {
  if (!answersSignal(-group)) return false;
  const stats = listProcesses().map(readStat);
  if (stats.length === 0) return true;
  return stats.some((stat) => stat?.group === group && !stat.isDead);
}

function answersSignal(target) {
  try {
    process.kill(target, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function listProcesses() {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** /proc/<pid>/stat; the program's name in parentheses may hold anything, so fields are counted behind it. */
function readStat(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { isDead: "ZX".includes(fields[0]), group: Number(fields[2]), started: fields[19] };
  } catch {
    return undefined;
  }
}
