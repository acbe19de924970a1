import { readFile } from "node:fs/promises";

/** Proportional share of a process's memory, in bytes; undefined where the kernel does not tell. */
export function memoryOf(pid: number): Promise<number | undefined> {
  return kilobytesIn(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB/m);
}

/** The most memory a process has had resident so far, in bytes. */
export function peakMemoryOf(pid: number): Promise<number | undefined> {
  return kilobytesIn(`/proc/${pid}/status`, /^VmHWM:\s+(\d+) kB/m);
}

/** Processor time a process has used so far, in milliseconds, to the kernel's hundredth of a second. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function kilobytesIn(path: string, pattern: RegExp): Promise<number | undefined> {
  try {
    const found = pattern.exec(await readFile(path, "utf8"))?.[1];
    return found === undefined ? undefined : Number(found) * 1_024;
  } catch {
    return undefined;
  }
}
