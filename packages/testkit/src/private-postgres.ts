import { execFile, execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import {
  freePort,
  type GuardedProcess,
  guardedFolder,
  startGuarded,
} from "@speckit/private-broker";
import { statement } from "./database-statement.ts";

export interface PrivatePostgres extends AsyncDisposable {
  /** A superuser's connection string to the database `postgres`; the same after a restart. */
  readonly url: string;
  /** Of the server that runs now. */
  readonly pid: number;
  /** Ends the server in immediate mode, as a crash would, and starts it again on its data. */
  readonly restart: () => Promise<void>;
}

const START_WITHIN_MS = 30_000;

/**
 * For tests only: what a power cut would lose is thrown away at the end anyway. What has been
 * committed outlives a crash of the server all the same: it is with the kernel.
 */
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "fsync=off",
  "full_page_writes=off",
  "shared_buffers=32MB",
  "max_connections=200",
];

/**
 * Starts a private PostgreSQL server on loopback from the system's newest binaries, with its data
 * in a folder that goes away with it, or with this process however it ends. PostgreSQL refuses
 * root, so root starts it as `postgres`, or as `nobody` where there is no such user.
 */
export async function startPrivatePostgres(): Promise<PrivatePostgres> {
  await using undo = new AsyncDisposableStack();
  const binaries = newestBinaries();
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  const folder = undo.use(await guardedFolder("speckit-postgres-"));
  const data = join(folder.path, "data");
  await mkdir(data, { mode: 0o700 });
  if (user !== undefined) {
    await chown(data, user.uid, user.gid);
    await chmod(folder.path, 0o711);
  }
  const env = { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" };
  await promisify(execFile)(
    join(binaries, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
    { cwd: data, env, ...user },
  );
  const port = await freePort();
  const start = () =>
    startGuarded(
      join(binaries, "postgres"),
      ["-D", data, "-p", String(port), ...SETTINGS.flatMap((setting) => ["-c", setting])],
      // An interrupt is PostgreSQL's fast shutdown, which also gives its shared memory back.
      { cwd: data, env, logPath: join(folder.path, "log"), signalOnOurDeath: "INT", ...user },
    );
  let server = await start();
  undo.defer(() => server.end("SIGINT", 10_000));

  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await ready(server, url);
  const owned = undo.move();
  return {
    url,
    get pid() {
      return server.pid;
    },
    async restart() {
      // To PostgreSQL a quit is its immediate shutdown: no checkpoint, recovery at the next start.
      await server.end("SIGQUIT", 10_000);
      server = await start();
      await ready(server, url);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** It takes connections some time before it answers: until then it refuses with 57P03. */
async function ready(server: GuardedProcess, url: string): Promise<void> {
  const over = new AbortController();
  const deadline = setTimeout(() => over.abort("not ready in time"), START_WITHIN_MS);
  void server.ended.then((how) => over.abort(`it ended: ${how}`));
  while (!over.signal.aborted && !(await answers(url))) {
    await sleep(20, undefined, { signal: over.signal }).catch(() => {});
  }
  clearTimeout(deadline);
  if (over.signal.aborted) {
    throw new Error(
      `The private PostgreSQL did not start, ${over.signal.reason}. Its log ends with:\n${await server.lastLines(20)}`,
    );
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await statement(url, "SELECT 1");
    return true;
  } catch {
    return false;
  }
}

function newestBinaries(): string {
  const parent = "/usr/lib/postgresql";
  const versions = existsSync(parent) ? readdirSync(parent) : [];
  const newest = versions
    .filter((version) => existsSync(join(parent, version, "bin/postgres")))
    .sort((left, right) => Number(right) - Number(left))[0];
  if (newest === undefined) {
    throw new Error(
      `PostgreSQL is not installed: there is no ${parent}/<version>/bin/postgres. ` +
        "Run `apt-get install --no-install-recommends postgresql`, or set DATABASE_URL to a running one.",
    );
  }
  return join(parent, newest, "bin");
}

function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) =>
        Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // The next name.
    }
  }
  throw new Error("PostgreSQL refuses root, and there is no user postgres or nobody to run it as");
}
