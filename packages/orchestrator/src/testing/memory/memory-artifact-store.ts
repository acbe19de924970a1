import { hash } from "node:crypto";
import { artifactParts } from "../../adapters/artifacts/artifact-path.ts";
import { asRecorded } from "../../adapters/artifacts/as-recorded.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { ArtifactStore, ArtifactWriter } from "../../ports/artifact-store.ts";

/** Artifacts of one machine, in memory, under the names the files would have. */
export function memoryArtifactStore(): ArtifactStore {
  const contents = new Map<string, Uint8Array>();
  const keyOf = (runId: string, name: string): string => artifactParts(runId, name).join("/");

  const keysOf = (runId: string): string[] =>
    [...contents.keys()].filter((key) => key.startsWith(`${runId}/`));

  const open: ArtifactStore["open"] = async (runId, name): Promise<ArtifactWriter> => {
    const key = keyOf(runId, name);
    const pieces: Uint8Array[] = [];
    let state: "open" | "closed" | "discarded" = "open";
    const requireOpen = (): void => {
      if (state !== "open") {
        throw new SpeckitError("INTERNAL_ERROR", `Artifact ${name} is ${state}`);
      }
    };
    return {
      write: async (piece) => {
        requireOpen();
        pieces.push(piece.slice());
      },
      close: async () => {
        requireOpen();
        state = "closed";
        const content = Buffer.concat(pieces);
        contents.set(key, content);
        return { name, bytes: content.byteLength, sha256: hash("sha256", content) };
      },
      discard: async () => {
        state = state === "open" ? "discarded" : state;
      },
    };
  };

  return {
    open,
    async put(runId, name, content) {
      const writer = await open(runId, name);
      await writer.write(typeof content === "string" ? Buffer.from(content, "utf8") : content);
      return writer.close();
    },
    async *read(runId, name, recorded) {
      const content = contents.get(keyOf(runId, name));
      if (content === undefined) {
        throw new SpeckitError("ARTIFACT_NOT_HERE", `${name} of run ${runId} is not here`);
      }
      yield* recorded === undefined ? [content] : asRecorded([content], recorded);
    },
    list: async (runId) =>
      keysOf(runId)
        .map((key) => key.slice(runId.length + 1))
        .sort(),
    runsHere: async () => [
      ...new Set([...contents.keys()].map((key) => key.slice(0, key.indexOf("/")))),
    ],
    async removeRun(runId) {
      const keys = keysOf(runId);
      const bytes = keys.reduce((sum, key) => sum + (contents.get(key)?.byteLength ?? 0), 0);
      for (const key of keys) {
        contents.delete(key);
      }
      return keys.length === 0 ? undefined : bytes;
    },
    removeLeftovers: async () => {},
  };
}
