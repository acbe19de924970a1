import { setTimeout as pause } from "node:timers/promises";
import type { DatabaseLayout } from "./database-layout.ts";
import { EmbeddedDatabaseError } from "./embedded-database-error.ts";
import { type EnteredServer, enterServer } from "./enter-server.ts";
import type { GuardianOrders } from "./guardian-report.ts";
import { launchGuardian } from "./launch-guardian.ts";
import { logTail } from "./log-tail.ts";

export interface ReachedServer extends EnteredServer {
  readonly startedByThisCall: boolean;
}

export interface ReachOptions {
  readonly orders: GuardianOrders;
  readonly onNotice: (text: string) => void;
  /** Ends the attempt between two steps, with a rejection. */
  readonly signal: AbortSignal;
}

const withinMs = 90_000;
/** Guardians that end by themselves without a word: something keeps them from running at all. */
const tolerableDeaths = 2;

/**
 * Connects, and where that fails has a guardian start the server, until this process is in. Any
 * number of processes may do this at once: each starts a guardian, one of them gets the lock, the
 * others wait here for what it brings about. Rejects with what the guardian found wrong.
 */
export async function reachServer(
  layout: DatabaseLayout,
  { orders, onNotice, signal }: ReachOptions,
): Promise<ReachedServer> {
  const deadline = performance.now() + withinMs;
  let startedByThisCall = false;
  let launchAgainAt = 0;
  let patienceMs = 100;
  let deaths = 0;
  let lastSeen = "";
  while (performance.now() < deadline && deaths <= tolerableDeaths) {
    signal.throwIfAborted();
    const entered = await enterServer(layout);
    if (typeof entered !== "string" && entered.isGuarded) return { ...entered, startedByThisCall };
    if (typeof entered === "string" && performance.now() < launchAgainAt) {
      lastSeen = entered;
      await pause(30);
      continue;
    }
    const launch = launchGuardian(layout, orders, onNotice);
    const tooLate = pause(deadline - performance.now(), undefined, { ref: false });
    const outcome = await Promise.race([launch.outcome, tooLate]);
    launch.leave();
    if (outcome?.kind === "failed") {
      if (typeof entered !== "string") await entered.leave();
      throw new EmbeddedDatabaseError(outcome.failure);
    }
    // Entered but unguarded: by now the new guardian, or another command's, has adopted the server.
    if (typeof entered !== "string") return { ...entered, startedByThisCall };
    if (outcome?.kind === "ready") startedByThisCall ||= outcome.started;
    if (outcome?.kind === "gone") {
      if (!outcome.wasKilled) deaths++;
      lastSeen = `its guardian ${outcome.reason}`;
    }
    launchAgainAt = performance.now() + patienceMs;
    patienceMs = Math.min(1_000, patienceMs * 2);
  }
  throw new EmbeddedDatabaseError({
    code: "EMBEDDED_DATABASE_FAILED",
    message:
      `The embedded database in ${layout.folder} could not be reached; ` +
      `last seen: ${lastSeen}.`,
    remedy: `Look at ${layout.log}; then try again.`,
    logTail: logTail(layout.log),
  });
}
