import { type FileHandle, open } from "node:fs/promises";
import { JOB_USER } from "./pack-folder.ts";
import { BLOCK_BYTES, giveTo, sizeIn } from "./tar-header.ts";

/** Whole blocks: a header is never cut in two. */
const PIECE_BYTES = 512 * BLOCK_BYTES;

/**
 * An archive of ours as the beginning of another one: everything in it belongs to the job's user, and
 * its end is left out. It is one that git has made of a tree: sizes are in the headers themselves.
 */
export async function* packArchive(path: string): AsyncGenerator<Buffer> {
  await using file = await open(path);
  let contentLeft = 0;
  for (;;) {
    const piece = await readPiece(file);
    let at = Math.min(contentLeft, piece.length);
    contentLeft -= at;
    while (at < piece.length) {
      const header = piece.subarray(at, at + BLOCK_BYTES);
      if (header[0] === 0) {
        yield piece.subarray(0, at);
        return;
      }
      giveTo(header, JOB_USER);
      const content = Math.ceil(sizeIn(header) / BLOCK_BYTES) * BLOCK_BYTES;
      const here = Math.min(content, piece.length - at - BLOCK_BYTES);
      contentLeft = content - here;
      at += BLOCK_BYTES + here;
    }
    yield piece;
    if (piece.length < PIECE_BYTES) {
      throw new Error(`${path} has no end`);
    }
  }
}

/** Full, but for the last one. */
async function readPiece(file: FileHandle): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let length = 0;
  for (let read = -1; read !== 0 && length < PIECE_BYTES; length += read) {
    ({ bytesRead: read } = await file.read(piece, length, PIECE_BYTES - length));
  }
  return piece.subarray(0, length);
}
