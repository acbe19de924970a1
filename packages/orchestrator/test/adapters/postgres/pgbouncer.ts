import { execFileSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, guardedFolder, startGuarded, waitForPort } from "@speckit/private-broker";

export interface PgBouncerOptions {
  /** Lines of its configuration besides. */
  readonly settings?: readonly string[];
  /** What it asks its clients for. Default nothing. */
  readonly asks?: string;
}

/** The real PgBouncer in front of a database, by transactions and else with its own defaults. */
export async function startPgBouncer(
  databaseUrl: string,
  { settings = [], asks }: PgBouncerOptions = {},
): Promise<AsyncDisposable & { readonly url: string }> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await guardedFolder("speckit-pgbouncer-"));
  const port = await freePort();
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl);
  const configuration = join(folder.path, "pgbouncer.ini");
  const users = join(folder.path, "users.txt");
  await writeFile(users, `"${username}" "${asks ?? ""}"\n`);
  await writeFile(
    configuration,
    [
      "[databases]",
      `tried = host=${hostname} port=${serverPort || 5432} dbname=${pathname.slice(1)} user=${username}${
        password === "" ? "" : ` password=${decodeURIComponent(password)}`
      }`,
      "[pgbouncer]",
      ...["listen_addr = 127.0.0.1", `listen_port = ${port}`, "unix_socket_dir ="],
      ...["pool_mode = transaction", ...settings],
      ...(asks === undefined ? ["auth_type = any"] : ["auth_type = plain", `auth_file = ${users}`]),
      "",
    ].join("\n"),
  );
  await chmod(folder.path, 0o711);
  await chmod(configuration, 0o644);
  await chmod(users, 0o644);
  const bouncer = await startGuarded("/usr/sbin/pgbouncer", [configuration], {
    cwd: folder.path,
    env: { PATH: "/usr/bin:/bin" },
    logPath: join(folder.path, "log"),
    signalOnOurDeath: "INT",
    // It refuses root.
    ...(process.getuid?.() === 0 ? nobody() : {}),
  });
  undo.defer(() => bouncer.end("SIGINT", 5_000));
  await waitForPort(port, AbortSignal.timeout(10_000));
  const owned = undo.move();
  return {
    url: `postgres://${username}@127.0.0.1:${port}/tried`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function nobody(): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"]));
  return { uid: id("-u"), gid: id("-g") };
}
