import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { ObjectFormat } from "./folders.ts";

const PIECE_BYTES = 256 * 1024;

/** The id git gives a blob of these bytes. */
export function blobId(format: ObjectFormat, content: Buffer): string {
  return createHash(format).update(`blob ${content.length}\0`).update(content).digest("hex");
}

/**
 * The id git gives a blob of a file's bytes, in bounded memory.
 *
 * @param bytes the length the id is for; undefined is returned when the file has another by now
 */
export async function hashFile(
  file: FileHandle,
  bytes: number,
  format: ObjectFormat,
): Promise<string | undefined> {
  const hash = createHash(format).update(`blob ${bytes}\0`);
  let read = 0;
  for await (const piece of pieces(file, bytes)) {
    hash.update(piece);
    read += piece.length;
  }
  return read === bytes ? hash.digest("hex") : undefined;
}

/**
 * A file's content; each piece is a buffer of its own.
 *
 * @param bytes its likely length: a small file is one piece
 */
export async function* pieces(file: FileHandle, bytes: number): AsyncGenerator<Buffer> {
  // One more than there should be, so that the end is seen without a second buffer.
  const pieceBytes = Math.min(bytes + 1, PIECE_BYTES);
  for (;;) {
    const { bytesRead, buffer } = await file.read(
      Buffer.allocUnsafe(pieceBytes),
      0,
      pieceBytes,
      null,
    );
    if (bytesRead === 0) {
      return;
    }
    yield buffer.subarray(0, bytesRead);
  }
}
