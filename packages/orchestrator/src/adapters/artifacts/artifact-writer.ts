import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { ArtifactWriter } from "../../ports/artifact-store.ts";
import { diskError } from "./disk-error.ts";

const NEWLINE = 0x0a;

/** What the names of files that are being written begin with; no artifact's name does. */
export const WRITING_PREFIX = ".writing-";

/**
 * Writes one artifact beside its final name and gives it that name on `close`, once its bytes are on
 * disk. A crash leaves a file `.writing-…` that nothing reads and that goes with the run's folder.
 *
 * Over `maxBytes` of content nothing more is kept; a last line says so and comes on top.
 */
export async function writeArtifact(options: {
  readonly name: string;
  /** Final path; its folder exists. */
  readonly path: string;
  readonly maxBytes: number;
}): Promise<ArtifactWriter> {
  const { name, path, maxBytes } = options;
  const doing = `Writing artifact ${name}`;
  const writingPath = join(dirname(path), `${WRITING_PREFIX}${randomUUID()}`);
  const file = await open(writingPath, "wx", 0o600).catch((error: unknown) => {
    throw diskError(error, doing);
  });
  const hash = createHash("sha256");
  let receivedBytes = 0;
  let storedBytes = 0;
  let lastByte: number | undefined;
  let state: "open" | "closed" | "discarded" = "open";
  /** Pieces are written one after the other, in the order they came. */
  let tail: Promise<void> = Promise.resolve();

  const store = async (piece: Uint8Array) => {
    if (piece.length > 0) {
      await file.writeFile(piece);
      hash.update(piece);
      storedBytes += piece.length;
      lastByte = piece.at(-1);
    }
  };
  const write = (piece: Uint8Array): Promise<void> => {
    if (state !== "open") {
      return Promise.reject(new SpeckitError("INTERNAL_ERROR", `Artifact ${name} is ${state}`));
    }
    const room = Math.max(0, maxBytes - receivedBytes);
    receivedBytes += piece.length;
    const written = tail.then(() => store(piece.subarray(0, room)));
    // What failed once stays failed: `close` must not publish an artifact with a hole.
    tail = written;
    tail.catch(() => {});
    return written.catch((error: unknown) => {
      throw diskError(error, doing);
    });
  };
  const remove = async () => {
    await file.close().catch(() => {});
    await rm(writingPath, { force: true });
  };

  return {
    write,
    close: async () => {
      if (state !== "open") {
        throw new SpeckitError("INTERNAL_ERROR", `Artifact ${name} is ${state}`);
      }
      state = "closed";
      try {
        await tail;
        if (receivedBytes > maxBytes) {
          const separator = lastByte === undefined || lastByte === NEWLINE ? "" : "\n";
          const words = `[truncated by speckit: ${receivedBytes} bytes came, the first ${maxBytes} are kept]\n`;
          await store(Buffer.from(separator + words));
        }
        await file.sync();
        await file.close();
        await rename(writingPath, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await remove().catch(() => {});
        throw diskError(error, doing);
      }
      const truncated = receivedBytes > maxBytes ? ({ truncated: true } as const) : {};
      return { name, bytes: storedBytes, sha256: hash.digest("hex"), ...truncated };
    },
    discard: async () => {
      if (state === "open") {
        state = "discarded";
        await tail.catch(() => {});
        await remove();
      }
    },
  };
}

/** Makes a rename survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder: FileHandle = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
