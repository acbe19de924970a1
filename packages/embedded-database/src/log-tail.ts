import { readFileSync, renameSync, statSync } from "node:fs";

const tailLines = 15;
const rotateAtBytes = 4 * 1024 * 1024;

/** The last lines of the server's log, oldest first; none when there is no log. */
export function logTail(log: string): string[] {
  try {
    return readFileSync(log, "utf8").trimEnd().split("\n").slice(-tailLines);
  } catch {
    return [];
  }
}

/** Keeps one older log of 4 MB. Called between two servers, never below a running one. */
export function rotateLog(log: string): void {
  const bytes = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > rotateAtBytes) renameSync(log, `${log}.1`);
}
