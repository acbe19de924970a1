import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import { prepareDataFolder } from "./data-folder.ts";
import type { DatabaseLayout } from "./database-layout.ts";
import { connectFailure, connectSession, guardianName } from "./database-session.ts";
import { EmbeddedDatabaseError } from "./embedded-database-error.ts";
import { logTail, rotateLog } from "./log-tail.ts";
import { endPostmaster, isPostmaster, isTaken, recordedPostmaster } from "./postmaster.ts";
import { runAs } from "./run-as.ts";
import { serverBinaries } from "./server-binaries.ts";
import { chooseIdentity, type IdentityKind } from "./server-identity.ts";
import { serverArguments } from "./server-settings.ts";
import { connectionStringOf, findSocketFolder, prepareSocketFolder } from "./socket-folder.ts";
import { takeOwnership } from "./take-ownership.ts";

export interface RunningServer {
  readonly pid: number;
  readonly session: Client;
  /** False when the server was running already and is adopted. */
  readonly started: boolean;
}

export interface StartOptions {
  readonly identities?: readonly IdentityKind[] | undefined;
  readonly onNotice: (text: string) => void;
}

const readyWithinMs = 60_000;
/** How long a running server may go without a socket before it is taken for cut off. */
const reachableWithinMs = 5_000;
/** How long the orphans of a killed postmaster may hold its shared memory. */
const orphansGoneWithinMs = 15_000;

/**
 * Brings the server of `layout` to where it answers, by whatever is left to do. Guardian lock held.
 */
export async function startServer(
  layout: DatabaseLayout,
  options: StartOptions,
): Promise<RunningServer> {
  return (await adoptServer(layout, options)) ?? (await startAnew(layout, options));
}

/**
 * A server that runs here without a guardian: taken over if it answers, ended if it cannot be
 * reached. One that answers without being a process here (two containers share the folder, and the
 * guardian in the other was killed) is left alone: a second server would ruin the data.
 */
async function adoptServer(
  layout: DatabaseLayout,
  { onNotice }: StartOptions,
): Promise<RunningServer | undefined> {
  const pid = recordedPostmaster(layout.data);
  if (pid === undefined) return undefined;
  if (!isPostmaster(pid, layout.data)) {
    const attempt = await tryConnect(layout);
    if (typeof attempt === "string" && attempt !== "57P03") return undefined;
    if (typeof attempt !== "string") await attempt.end().catch(() => {});
    throw failed(layout, `a server in another container or chroot has its data (pid ${pid} there)`);
  }
  const begin = performance.now();
  while (isPostmaster(pid, layout.data)) {
    const attempt = await tryConnect(layout);
    if (typeof attempt !== "string") return { pid, session: attempt, started: false };
    const waitedMs = performance.now() - begin;
    // 57P03: it recovers from a crash, or shuts down. Anything else: its socket is gone.
    if (waitedMs > (attempt === "57P03" ? readyWithinMs : reachableWithinMs)) {
      onNotice(
        `The embedded database (pid ${pid}) does not answer (${attempt}); starting it again.`,
      );
      if (!(await endPostmaster(pid, layout.data, "SIGINT", reachableWithinMs))) {
        await endPostmaster(pid, layout.data, "SIGQUIT", reachableWithinMs);
      }
    }
    await pause(20);
  }
  return undefined;
}

async function startAnew(layout: DatabaseLayout, options: StartOptions): Promise<RunningServer> {
  const { onNotice } = options;
  const isNew = !existsSync(layout.data);
  onNotice(`${isNew ? "Creating" : "Starting"} the embedded database in ${layout.folder}`);
  const identity = chooseIdentity(layout.stateDir, options.identities);
  takeOwnership(layout.folder, identity);
  const binaries = serverBinaries(layout.binaries);
  takeOwnership(binaries.folder, identity);
  await prepareDataFolder(layout, identity, binaries);
  let wasKilled = forgetOtherProcess(layout.data);
  const args = serverArguments(layout.data, prepareSocketFolder(layout, identity));
  rotateLog(layout.log);

  const begin = performance.now();
  for (;;) {
    const child = runAs(identity, binaries.postgres, args, { cwd: layout.folder, log: layout.log });
    child.once("error", () => {});
    let failure = "nothing";
    while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const attempt = await tryConnect(layout);
      if (typeof attempt !== "string") return { pid: child.pid, session: attempt, started: true };
      failure = attempt;
      if (performance.now() - begin > readyWithinMs) {
        await endPostmaster(child.pid, layout.data, "SIGQUIT", reachableWithinMs);
        throw failed(layout, `it did not answer within ${readyWithinMs / 1000} s (${failure})`);
      }
      await pause(10);
    }
    wasKilled ||= child.signalCode !== null;
    if (!wasKilled || performance.now() - begin > orphansGoneWithinMs) {
      throw failed(
        layout,
        `postgres ended with ${child.signalCode ?? child.exitCode ?? "no start"}`,
      );
    }
    await pause(100);
  }
}

/**
 * Answers whether the last server left its pid file, that is, was killed. The server itself clears
 * a file that names nobody; one whose pid belongs to another process by now it would believe for
 * ever.
 */
function forgetOtherProcess(data: string): boolean {
  const pid = recordedPostmaster(data);
  if (pid === undefined) return false;
  if (isTaken(pid)) rmSync(join(data, "postmaster.pid"), { force: true });
  return true;
}

async function tryConnect(layout: DatabaseLayout): Promise<Client | string> {
  const folder = findSocketFolder(layout);
  if (folder === undefined) return "ENOENT";
  try {
    return await connectSession(connectionStringOf(folder), guardianName);
  } catch (error) {
    return connectFailure(error);
  }
}

function failed(layout: DatabaseLayout, reason: string): EmbeddedDatabaseError {
  return new EmbeddedDatabaseError({
    code: "EMBEDDED_DATABASE_FAILED",
    message: `The embedded database in ${layout.folder} did not start: ${reason}.`,
    remedy: `The last lines of ${layout.log} say why.`,
    logTail: logTail(layout.log),
  });
}
