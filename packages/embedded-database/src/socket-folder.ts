import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { DatabaseLayout } from "./database-layout.ts";
import type { ServerIdentity } from "./server-identity.ts";
import { serverPort } from "./server-settings.ts";

/**
 * Where clients find the socket, or undefined while there is no such folder.
 *
 * A socket's path must fit 104 bytes (108 on Linux). Where `<stateDir>/postgres/run` is longer, it
 * is a symlink to a short folder, so that every command finds the same one whatever its TMPDIR
 * says. That folder lies where others can write: it counts only while it is private and belongs to
 * whom the database belongs. Its name tells the state folder, so that a copied state folder does
 * not lead to the original's server.
 */
export function findSocketFolder(layout: DatabaseLayout): string | undefined {
  try {
    if (fs.lstatSync(layout.run).isDirectory()) return layout.run;
    const short = recordedShortFolder(layout);
    if (short === undefined) return undefined;
    const found = fs.lstatSync(short);
    const isPrivate = found.isDirectory() && (found.mode & 0o077) === 0;
    return isPrivate && found.uid === fs.lstatSync(layout.folder).uid ? short : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the socket folder, empty. Guardian lock held, and no server runs. */
export function prepareSocketFolder(layout: DatabaseLayout, { owner }: ServerIdentity): string {
  const folder = findSocketFolder(layout) ?? makeSocketFolder(layout);
  for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name), { recursive: true });
  fs.chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/**
 * Takes the short folder away again; the symlink stays, and so does the name for the next start.
 */
export function removeShortSocketFolder(layout: DatabaseLayout): void {
  const folder = findSocketFolder(layout);
  if (folder === undefined || folder === layout.run) return;
  fs.rmSync(folder, { recursive: true, force: true });
}

/** Both `pg` and libpq read it, and it is a valid URL; what `PG*` variables say is overruled. */
export function connectionStringOf(socketFolder: string): string {
  const host = encodeURIComponent(socketFolder);
  return `postgresql:///postgres?host=${host}&port=${serverPort}&user=postgres&sslmode=disable`;
}

const longestSocketPath = 99;

function makeSocketFolder(layout: DatabaseLayout): string {
  const socket = join(layout.run, `.s.PGSQL.${serverPort}`);
  // A comma would end the path, in the server's setting as in libpq's host.
  if (Buffer.byteLength(socket) <= longestSocketPath && !/[,"]/.test(socket)) {
    fs.rmSync(layout.run, { force: true });
    fs.mkdirSync(layout.run, { mode: 0o700 });
    return layout.run;
  }
  const short = makeAgain(layout) ?? fs.mkdtempSync(shortPrefix(layout));
  fs.rmSync(layout.run, { force: true });
  fs.symlinkSync(short, layout.run);
  return short;
}

/**
 * The recorded short folder under its old name, so that connection strings handed out stay true.
 */
function makeAgain(layout: DatabaseLayout): string | undefined {
  try {
    const short = recordedShortFolder(layout);
    if (short !== undefined) fs.mkdirSync(short, { mode: 0o700 });
    return short;
  } catch {
    return undefined;
  }
}

function recordedShortFolder(layout: DatabaseLayout): string | undefined {
  const short = fs.readlinkSync(layout.run);
  return short.startsWith(shortPrefix(layout)) ? short : undefined;
}

function shortPrefix({ stateDir }: DatabaseLayout): string {
  return `/tmp/speckit-${createHash("sha256").update(stateDir).digest("hex").slice(0, 12)}-`;
}
