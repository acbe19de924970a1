import type { KeptFile } from "../../../ports/job-runtime.ts";
import { readTar } from "./read-tar.ts";

/**
 * The regular files of an archive as texts; larger ones than what is left of the budget are passed
 * over, and so is everything else.
 *
 * @param folder what the archive's top folder is called outside, for example `.codex/sessions`
 * @returns the files, and what they leave of the budget
 */
export async function readTexts(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  folder: string,
  maxBytes: number,
): Promise<{ readonly files: readonly KeptFile[]; readonly leftBytes: number }> {
  const files: KeptFile[] = [];
  let leftBytes = maxBytes;
  let path = "";
  let content: Buffer[] = [];
  await readTar(pieces, {
    onEntry({ type, name, bytes }) {
      if (type !== "file" || bytes > leftBytes) {
        return false;
      }
      leftBytes -= bytes;
      const below = Buffer.from(name, "latin1").toString("utf8").split("/").slice(1);
      path = [folder, ...below].join("/");
      content = [];
      return true;
    },
    onContent: (piece) => void content.push(Buffer.from(piece)),
    onEnd: () => void files.push({ path, content: Buffer.concat(content).toString("utf8") }),
  });
  return { files, leftBytes };
}
