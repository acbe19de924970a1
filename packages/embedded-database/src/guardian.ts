/*
The guardian: the one process that starts and stops the server of a state folder.

Commands come and go, several at once, and any of them may be killed. None of them may therefore own
the server, and no two processes may decide about it. So a command never touches it: it connects,
and when that fails it starts a guardian and tries again until it is in (reach-server.ts). A
guardian takes the lock (guardian-lock.ts) or ends at once; with the lock it alone creates the data,
clears what a crash left, starts or adopts the server, watches it, and stops it when nobody has been
connected for a while.

    command ──starts──▶ guardian ──starts──▶ postgres
       └────────── connects, holds the door ────┘

Each is in a session of its own: Ctrl-C in the terminal reaches the command only.

What happens when each is cut:

- The command, at any moment: the guardian carries on, finds nobody connected, stops the server when
  idle.
- The guardian before the data is complete: a `data.partial-…` is left, the next guardian removes
  it.
- The guardian later: the server runs on, its clients notice nothing. The next command finds the
  server unguarded and starts a guardian, which adopts it. Until then it is not stopped.
- The guardian while the server stops: the next one waits for its end and starts it again.
- postgres: the guardian starts it again, as long as it does not crash over and over; pools
  reconnect.
- Both: the next command's guardian finds the stale pid file; the server recovers from its log.
- The whole folder: the guardian ends what is left of the server and itself; nothing is created
  again.
- A command connects while the guardian stops the server: it cannot enter the door
  (database-session.ts), or loses its connection before it has entered, and starts a guardian of its
  own, which is turned away by the lock until the old one is gone. Only a client that knows no door
  (psql) can lose a connection here.

SIGTERM or SIGINT to the guardian stops the server at once and ends the guardian.
*/
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databaseLayout } from "./database-layout.ts";
import { EmbeddedDatabaseError, type EmbeddedDatabaseFailure } from "./embedded-database-error.ts";
import { takeGuardianLock } from "./guardian-lock.ts";
import type { GuardianOrders, GuardianReport } from "./guardian-report.ts";
import { logTail } from "./log-tail.ts";
import { endPostmaster } from "./postmaster.ts";
import { removeShortSocketFolder } from "./socket-folder.ts";
import { type RunningServer, startServer } from "./start-server.ts";
import { watchUntilIdle } from "./watch-until-idle.ts";

const orders: GuardianOrders = JSON.parse(process.argv[2] ?? "{}");
const layout = databaseLayout(orders.stateDir);
process.umask(0o022);

const told = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => told.abort());

try {
  if (takeGuardianLock(layout.lock)) await guard();
  else await lastReport({ kind: "busy" });
} catch (error) {
  process.stderr.write(`guardian: ${error instanceof Error ? error.message : String(error)}\n`);
  await lastReport({ kind: "failed", failure: failureOf(error) });
}

async function guard(): Promise<void> {
  writeFileSync(layout.guardianPid, `${process.pid}\n`);
  try {
    const starts: number[] = [];
    for (;;) {
      starts.push(performance.now());
      const server = await startServer(layout, { ...orders, onNotice });
      await lastReport({ kind: "ready", started: server.started });
      const end = await watchUntilIdle(server.session, layout, { ...orders, told: told.signal });
      if (end !== "lost") return await stop(server);
      await server.session.end().catch(() => {});
      if (!existsSync(join(layout.data, "postmaster.pid"))) await endOrphan(server);
      if (!existsSync(layout.data)) return;
      onNotice("The embedded database is gone without having been stopped; starting it again.");
      if (crashesOverAndOver(starts)) throw new Error("the server crashes over and over");
    }
  } finally {
    rmSync(layout.guardianPid, { force: true });
  }
}

/**
 * Fast shutdown: sessions end, all data is on disk. What takes too long is ended as a crash would.
 * The own session stays to the end: it keeps the door closed.
 */
async function stop(server: RunningServer): Promise<void> {
  const stopped = await endPostmaster(server.pid, layout.data, "SIGINT", 60_000);
  if (!stopped) await endOrphan(server);
  await server.session.end().catch(() => {});
  removeShortSocketFolder(layout);
}

async function endOrphan(server: RunningServer): Promise<void> {
  await endPostmaster(server.pid, layout.data, "SIGQUIT", 10_000);
}

function crashesOverAndOver(starts: readonly number[]): boolean {
  const earlier = starts.at(-5);
  return earlier !== undefined && performance.now() - earlier < 60_000;
}

function onNotice(text: string): void {
  process.stderr.write(`guardian: ${text}\n`);
  void report({ kind: "notice", text });
}

/** The command may be gone: then nobody is told, and the log has it. */
async function report(message: GuardianReport): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((resolve) => process.send?.(message, undefined, {}, () => resolve()));
}

/** Says it and lets go of the command. */
async function lastReport(message: GuardianReport): Promise<void> {
  await report(message);
  if (process.connected) process.disconnect();
}

function failureOf(error: unknown): EmbeddedDatabaseFailure {
  if (error instanceof EmbeddedDatabaseError) {
    const { code, message, remedy, logTail } = error;
    return { code, message, remedy, logTail };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: "EMBEDDED_DATABASE_FAILED",
    message: `The embedded database in ${layout.folder} did not start: ${reason}.`,
    remedy: `The last lines of ${layout.log} say more.`,
    logTail: logTail(layout.log),
  };
}
