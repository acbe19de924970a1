import { access, constants, stat } from "node:fs/promises";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitSsh } from "./ssh-command.ts";

/**
 * Looks at a private key before a program is given it: ssh's own words for what is wrong with the
 * file come out as "permission denied" by the server.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`
 */
export async function checkKeyFile(path: string): Promise<void> {
  await checkReadable(path, "a private key");
  const { mode, uid } = await stat(path);
  // As OpenSSH does: the modes of a file of another user (a mounted secret) are that user's matter.
  if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `${path}: expected a private key that only its owner may read, got mode ${(mode & 0o777).toString(8).padStart(4, "0")}`,
      { remedy: `Run \`chmod 600\` on it; ssh uses no key that others may read.` },
    );
  }
}

/** @throws SpeckitError `CONFIGURATION_INVALID` */
export async function checkSshFiles({ keyFile, knownHostsFile }: GitSsh): Promise<void> {
  if (keyFile !== undefined) {
    await checkKeyFile(keyFile);
  }
  if (knownHostsFile !== undefined) {
    await checkReadable(knownHostsFile, "known host keys");
  }
}

async function checkReadable(path: string, what: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `${path}: expected a file with ${what} that the worker's user may read`,
      { cause },
    );
  }
}
