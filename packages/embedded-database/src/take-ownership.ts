import { lchownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ServerIdentity } from "./server-identity.ts";

/**
 * Gives `folder` and all below it to the identity the server runs as, when root's choice of it has
 * changed (a container that could not make user namespaces, then a host that can). The folder
 * itself comes last, so that its owner says whether all the rest was done.
 */
export function takeOwnership(folder: string, { owner }: ServerIdentity): void {
  const found = lstatSync(folder);
  if (found.uid === owner.uid) return;
  give(folder, owner);
}

function give(path: string, owner: ServerIdentity["owner"]): void {
  if (lstatSync(path).isDirectory()) {
    for (const name of readdirSync(path)) give(join(path, name), owner);
  }
  lchownSync(path, owner.uid, owner.gid);
}
