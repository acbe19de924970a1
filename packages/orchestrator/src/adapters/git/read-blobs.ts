import type { StoredContent } from "../../domain/publish-policy/run-changes.ts";
import type { GitContext } from "./context.ts";

/** Contents of blobs that are there, by id, by one command. All of them are in memory at once. */
export async function readBlobs(
  context: GitContext,
  gitDir: string,
  blobs: readonly StoredContent[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted = [...new Map(blobs.map(({ id, bytes }) => [id, bytes]))];
  const contents = new Map<string, Uint8Array>();
  if (wanted.length === 0) {
    return contents;
  }
  const { stdout } = await context.git(
    { args: ["cat-file", "--batch"], gitDir, input: wanted.map(([id]) => `${id}\n`).join("") },
    signal,
  );
  let at = 0;
  for (const [id, bytes] of wanted) {
    // `<id> blob <length>`, the content, and a line end behind each.
    const start = stdout.indexOf("\n", at) + 1;
    contents.set(id, stdout.subarray(start, start + bytes));
    at = start + bytes + 1;
  }
  return contents;
}
