import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach } from "vitest";
import { type DatabaseLayout, databaseLayout } from "../src/database-layout.ts";
import { poll } from "./poll.ts";

/**
 * A fresh state folder per call. After each test it must have fallen silent by itself: no process
 * that names the folder is left, else the test fails (and the processes are ended).
 */
export function stateFolders(): () => DatabaseLayout {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) {
      try {
        await poll("nothing left running", () => processesOf(folder), isEmpty);
      } finally {
        for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
        await poll("nothing left after the kill", () => processesOf(folder), isEmpty);
        rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      }
    }
  });
  return () => {
    const folder = mkdtempSync("/tmp/speckit-test-");
    folders.push(folder);
    return databaseLayout(folder);
  };
}

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Guardians, postmasters and initdbs of the folder, by their command lines. */
export function processesOf(folder: string): FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) continue;
    try {
      const command = readFileSync(join("/proc", name, "cmdline"), "utf8").replaceAll("\0", " ");
      if (command.includes(folder)) found.push({ pid, command });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

export function postmastersOf({ stateDir, data }: DatabaseLayout): number[] {
  return processesOf(stateDir)
    .filter(({ command }) => command.includes(` -D ${data} `))
    .map(({ pid }) => pid);
}

export function guardiansOf({ stateDir }: DatabaseLayout): number[] {
  return processesOf(stateDir)
    .filter(({ command }) => command.includes("guardian.ts"))
    .map(({ pid }) => pid);
}

export const isEmpty = (list: readonly unknown[]): boolean => list.length === 0;
