import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type DatabaseLayout, refusal } from "./database-layout.ts";
import type { GuardianOrders, GuardianReport } from "./guardian-report.ts";
import { serverEnvironment } from "./server-environment.ts";

/** `gone`: it ended, or somebody killed it, before it said anything. */
export type GuardianOutcome =
  | Exclude<GuardianReport, { kind: "notice" }>
  | { readonly kind: "gone"; readonly reason: string; readonly wasKilled: boolean };

export interface GuardianLaunch {
  /** Never rejects. */
  readonly outcome: Promise<GuardianOutcome>;
  /** Stops listening, so that the guardian does not keep this process from ending. */
  leave(): void;
}

/**
 * Starts a guardian in a session of its own: it survives this process and the terminal's Ctrl-C,
 * and keeps none of its environment. Several may be started at once; all but one end at once
 * (`busy`).
 */
export function launchGuardian(
  layout: DatabaseLayout,
  orders: GuardianOrders,
  onNotice: (text: string) => void,
): GuardianLaunch {
  const log = openLog(layout);
  const args = ["--disable-warning=ExperimentalWarning", guardianFile, JSON.stringify(orders)];
  const guardian = spawn(process.execPath, args, {
    cwd: "/",
    detached: true,
    // Compiled code is kept beside the data: 20 MB and 80 ms less at the next start.
    env: { ...serverEnvironment(), NODE_COMPILE_CACHE: layout.compileCache },
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  const leave = () => {
    if (guardian.connected) guardian.disconnect();
    guardian.unref();
  };
  const outcome = new Promise<GuardianOutcome>((resolve) => {
    guardian.on("message", (report: GuardianReport) => {
      if (report.kind === "notice") onNotice(report.text);
      else resolve(report);
    });
    guardian.once("error", ({ message }) => {
      resolve({ kind: "gone", reason: `did not start: ${message}`, wasKilled: false });
    });
    guardian.once("exit", (code, signal) => {
      const reason = `ended with ${signal ?? code}`;
      resolve({ kind: "gone", reason, wasKilled: signal !== null });
    });
  });
  return { outcome: outcome.finally(leave), leave };
}

function openLog({ folder, log }: DatabaseLayout): number {
  try {
    return openSync(log, "a", 0o600);
  } catch (cause) {
    throw refusal(folder, (cause as NodeJS.ErrnoException).code ?? String(cause), { cause });
  }
}

/** Beside this file and with its extension: `.ts` in the source, `.js` in the built package. */
const guardianFile = fileURLToPath(new URL("./guardian.ts", import.meta.url)).replace(
  /\.ts$/,
  extname(import.meta.url),
);
