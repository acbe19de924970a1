import { createHash, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ArtifactStore } from "../ports/artifact-store.ts";

export interface ArtifactStoreUnderTest extends AsyncDisposable {
  readonly artifacts: ArtifactStore;
}

const NOT_HERE = { code: "ARTIFACT_NOT_HERE" };

/** What the application relies on of an artifact store, as Vitest tests. */
export function describeArtifactStore(
  name: string,
  open: () => Promise<ArtifactStoreUnderTest>,
): void {
  describe(`ArtifactStore: ${name}`, () => {
    let under: ArtifactStoreUnderTest;
    let artifacts: ArtifactStore;
    const runId = randomUUID();

    beforeEach(async () => {
      under = await open();
      artifacts = under.artifacts;
    });
    afterEach(() => under[Symbol.asyncDispose]());

    async function textOf(artifact: string, of = runId): Promise<string> {
      const pieces: Uint8Array[] = [];
      for await (const piece of artifacts.read(of, artifact)) {
        pieces.push(piece);
      }
      return Buffer.concat(pieces).toString("utf8");
    }

    test("what was put is read, and told by size and hash", async () => {
      const stored = await artifacts.put(runId, "plan-1/prompt.md", "Grüße\n");
      expect(stored).toEqual({
        name: "plan-1/prompt.md",
        bytes: 8,
        sha256: createHash("sha256").update("Grüße\n").digest("hex"),
      });
      expect(await textOf("plan-1/prompt.md")).toBe("Grüße\n");
    });

    test("a second one of the same name replaces the first, another run's stays", async () => {
      const other = randomUUID();
      await artifacts.put(runId, "result.json", "1");
      await artifacts.put(other, "result.json", "other");
      await artifacts.put(runId, "result.json", Uint8Array.of(50));
      expect(await textOf("result.json")).toBe("2");
      expect(await textOf("result.json", other)).toBe("other");
    });

    test("an artifact in pieces is there when it is closed, not before", async () => {
      const writer = await artifacts.open(runId, "plan-1/stdout.log");
      await writer.write(Buffer.from("one "));
      await writer.write(Buffer.from("two"));
      await expect(textOf("plan-1/stdout.log")).rejects.toMatchObject(NOT_HERE);
      expect(await artifacts.list(runId)).toEqual([]);
      expect(await writer.close()).toMatchObject({ name: "plan-1/stdout.log", bytes: 7 });
      expect(await textOf("plan-1/stdout.log")).toBe("one two");
      await writer.discard();
      expect(await textOf("plan-1/stdout.log")).toBe("one two");
    });

    test("a discarded one leaves the artifact before it, and takes no more", async () => {
      await artifacts.put(runId, "a.log", "before");
      const writer = await artifacts.open(runId, "a.log");
      await writer.write(Buffer.from("after"));
      await writer.discard();
      await writer.discard();
      expect(await textOf("a.log")).toBe("before");
      await expect(writer.write(Buffer.from("x"))).rejects.toMatchObject({
        code: "INTERNAL_ERROR",
      });
    });

    test.each(["", "..", "../x", "/x", "a//b", "a\\b", "a\nb"])(
      "the name %j is refused",
      async (bad) => {
        await expect(artifacts.put(runId, bad, "x")).rejects.toMatchObject({
          code: "INTERNAL_ERROR",
        });
      },
    );

    test("content that is not what is on record is told when all of it has come", async () => {
      const recorded = await artifacts.put(runId, "a.log", "one");
      const read = async (expected: typeof recorded): Promise<string> => {
        const pieces: Uint8Array[] = [];
        for await (const piece of artifacts.read(runId, "a.log", expected)) {
          pieces.push(piece);
        }
        return Buffer.concat(pieces).toString("utf8");
      };
      expect(await read(recorded)).toBe("one");
      for (const otherwise of [{ bytes: 4 }, { sha256: "a".repeat(64) }]) {
        await expect(read({ ...recorded, ...otherwise })).rejects.toMatchObject({
          code: "ARTIFACT_DAMAGED",
        });
      }
    });

    test("what is not there is an error", async () => {
      await expect(textOf("nothing.txt")).rejects.toMatchObject(NOT_HERE);
    });

    test("names what is kept of a run, in order", async () => {
      for (const name of ["specify-1/stdout.log", "result.json", "plan-1/a/b.md"]) {
        await artifacts.put(runId, name, "x");
      }
      await artifacts.put(randomUUID(), "other.md", "x");
      const names = ["plan-1/a/b.md", "result.json", "specify-1/stdout.log"];
      expect(await artifacts.list(runId)).toEqual(names);
    });

    test("a run is removed as a whole, once, and no other one with it", async () => {
      const [other, none] = [randomUUID(), randomUUID()];
      await artifacts.put(runId, "result.json", "12");
      await artifacts.put(runId, "plan-1/prompt.md", "345");
      await artifacts.put(other, "result.json", "6");
      expect([...(await artifacts.runsHere())].sort()).toEqual([runId, other].sort());
      const removed = await Promise.all([artifacts.removeRun(runId), artifacts.removeRun(runId)]);
      expect(removed.filter((bytes) => bytes !== undefined)).toHaveLength(1);
      expect(await artifacts.removeRun(none)).toBeUndefined();
      await artifacts.removeLeftovers();
      expect(await artifacts.runsHere()).toEqual([other]);
      expect(await artifacts.list(runId)).toEqual([]);
      await expect(textOf("result.json")).rejects.toMatchObject(NOT_HERE);
      expect(await textOf("result.json", other)).toBe("6");
    });
  });
}
