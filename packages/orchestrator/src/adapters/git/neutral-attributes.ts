import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * `.gitattributes` of a target repository may ask for line-end conversion, keyword expansion,
 * another encoding or a filter program. All of it would make the files an agent sees, or the ones we
 * commit, differ from the bytes in the repository. `info/attributes` stands above every file of the
 * tree, so this one line turns all of it off: what is checked out or archived is the blob, byte by
 * byte, and all of them are.
 *
 * The encoding is set to unspecified rather than off: git stops at a value it does not know, and
 * "off" is one.
 */
const ATTRIBUTES =
  "* -text -eol -crlf -ident -filter !working-tree-encoding -export-ignore -export-subst\n";

export async function writeNeutralAttributes(gitDir: string): Promise<void> {
  await mkdir(join(gitDir, "info"), { recursive: true });
  await writeFile(join(gitDir, "info", "attributes"), ATTRIBUTES);
}
