const usualPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/**
 * The environment of everything that outlives the command: an allow-list, because a process that
 * stays for hours must not keep the tokens of the command that happened to start it, nor its `PG*`
 * or `NODE_OPTIONS`. Messages are English (`LC_ALL=C`), so that the log reads the same everywhere.
 */
export function serverEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH || usualPath, LC_ALL: "C", TZ: "UTC" };
}
