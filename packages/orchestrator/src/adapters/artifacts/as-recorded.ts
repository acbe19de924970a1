import { createHash } from "node:crypto";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { StoredArtifact } from "../../ports/artifact-store.ts";

/**
 * Passes on what it is given.
 *
 * @throws SpeckitError `ARTIFACT_DAMAGED` after the last piece, when all of it is not what is on record
 */
export async function* asRecorded(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  recorded: Pick<StoredArtifact, "bytes" | "sha256">,
): AsyncGenerator<Uint8Array, void> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of content) {
    hash.update(piece);
    bytes += piece.length;
    yield piece;
  }
  if (bytes !== recorded.bytes) {
    throw damaged(`${bytes} bytes are here, ${recorded.bytes} are on record`);
  }
  if (hash.digest("hex") !== recorded.sha256) {
    throw damaged(`its ${bytes} bytes are other ones than are on record`);
  }
}

function damaged(message: string): SpeckitError {
  return new SpeckitError("ARTIFACT_DAMAGED", message);
}
