import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { objectFormatOf } from "./folders.ts";

/**
 * Writes the `.git` of a workspace: a branch that stands at a commit whose objects are put in next,
 * and who commits there. As `git init`, `update-ref` and `config` would leave it (gitrepository-layout),
 * without four processes for half a dozen small files.
 */
export async function makeWorkRepository(
  gitDir: string,
  about: {
    /** A name that `git check-ref-format` takes. */
    readonly branch: string;
    readonly commit: string;
    readonly identity: { readonly name: string; readonly email: string };
  },
): Promise<void> {
  const branch = join(gitDir, "refs", "heads", ...about.branch.split("/"));
  await mkdir(dirname(branch), { recursive: true });
  await mkdir(join(gitDir, "objects", "pack"), { recursive: true });
  await writeFile(join(gitDir, "HEAD"), `ref: refs/heads/${about.branch}\n`);
  await writeFile(join(gitDir, "config"), configOf(about));
  await writeFile(branch, `${about.commit}\n`);
}

function configOf({
  commit,
  identity,
}: Pick<Parameters<typeof makeWorkRepository>[1], "commit" | "identity">): string {
  const isSha256 = objectFormatOf(commit) === "sha256";
  return [
    "[core]",
    `repositoryformatversion = ${isSha256 ? 1 : 0}`,
    "filemode = true",
    "bare = false",
    "logallrefupdates = true",
    ...(isSha256 ? ["[extensions]", "objectformat = sha256"] : []),
    // For agents that commit; their commits stay where they are.
    "[user]",
    `name = ${quoted(identity.name)}`,
    `email = ${quoted(identity.email)}`,
    "",
  ].join("\n");
}

/** A value in git's configuration: nothing in it ends it or begins a comment. */
function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
