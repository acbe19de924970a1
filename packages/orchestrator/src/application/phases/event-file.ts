import type { AgentEvent } from "../../ports/agent-backend.ts";
import type { ArtifactWriter, StoredArtifact } from "../../ports/artifact-store.ts";

/** An attempt's agent events as an artifact, one JSON document a line: all of them, uncut. */
export interface EventFile {
  readonly add: (events: readonly AgentEvent[]) => void;
  /** Resolves when what was added so far is written. @throws what the store said */
  readonly written: () => Promise<void>;
  readonly close: () => Promise<StoredArtifact>;
  readonly discard: () => Promise<void>;
}

export function eventFile(writer: ArtifactWriter): EventFile {
  let writing: Promise<void> = Promise.resolve();
  return {
    add(events) {
      if (events.length > 0) {
        const lines = events.map((event) => `${JSON.stringify(event)}\n`).join("");
        writing = writing.then(() => writer.write(Buffer.from(lines)));
        // Whoever asks hears of it.
        writing.catch(() => {});
      }
    },
    written: () => writing,
    async close() {
      await writing;
      return writer.close();
    },
    async discard() {
      await writing.catch(() => {});
      await writer.discard();
    },
  };
}
