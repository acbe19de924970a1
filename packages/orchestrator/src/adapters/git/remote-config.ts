import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import type { CheckedRemote } from "./checked-remote.ts";
import type { GitContext } from "./context.ts";

/**
 * Configuration file for the far side of a `file://` transport, undefined for every other remote.
 *
 * Git starts the far side (`upload-pack`, `receive-pack`) on this machine, drops our `GIT_CONFIG_*`
 * variables for it, and lets it refuse a repository of another user. An operator who allowed this
 * path meant it, whoever owns it: it, and nothing else, is declared safe, in the only place the far
 * side still reads.
 */
export async function remoteConfigFor(
  context: Pick<GitContext, "folders">,
  remote: CheckedRemote,
): Promise<string | undefined> {
  if (remote.path === undefined) {
    return undefined;
  }
  const file = context.folders.remoteConfig(remote.gitRemote);
  const lines = [remote.path, `${remote.path.replace(/\/+$/, "")}/.git`].map(
    (path) => `\tdirectory = "${path.replace(/["\\]/g, "\\$&")}"\n`,
  );
  await mkdir(context.folders.caches, { recursive: true });
  const part = `${file}.${randomUUID()}`;
  await writeFile(part, `[safe]\n${lines.join("")}`, { mode: 0o600 });
  await rename(part, file);
  return file;
}
