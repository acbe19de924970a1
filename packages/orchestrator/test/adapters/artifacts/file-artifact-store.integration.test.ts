import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileArtifactStore } from "../../../src/adapters/artifacts/index.ts";

const RUN = "0197f0a0-0000-7000-8000-000000000001";
const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "speckit-artifacts-"));
});
afterEach(async () => {
  await rm(stateDir, { recursive: true, force: true });
});

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) {
    all.push(piece);
  }
  return Buffer.concat(all).toString();
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
}

describe("file artifact store", () => {
  test("stores pieces in order and tells their size and hash", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    const writer = await store.open(RUN, "plan-1/stdout.log");
    const pieces = Array.from({ length: 50 }, (_, at) => `piece ${at}\n`);
    await Promise.all(pieces.map((piece) => writer.write(Buffer.from(piece))));
    const stored = await writer.close();
    const whole = pieces.join("");
    expect(stored).toEqual({
      name: "plan-1/stdout.log",
      bytes: Buffer.byteLength(whole),
      sha256: sha256(whole),
    });
    expect(await readAll(store.read(RUN, "plan-1/stdout.log"))).toBe(whole);
  });

  test("an artifact has no name before it is closed, and none when it is discarded", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    const writer = await store.open(RUN, "a.txt");
    await writer.write(Buffer.from("half"));
    await expect(readAll(store.read(RUN, "a.txt"))).rejects.toThrow("is not in");
    await writer.discard();
    expect(await filesOf(stateDir)).toEqual([]);
    await expect(writer.write(Buffer.from("more"))).rejects.toThrow("discarded");
  });

  test("a second artifact of the same name replaces the first, and a late discard changes nothing", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    await store.put(RUN, "a.txt", "first");
    const writer = await store.open(RUN, "a.txt");
    await writer.write(Buffer.from("second ü"));
    await writer.close();
    await writer.discard();
    expect(await readAll(store.read(RUN, "a.txt"))).toBe("second ü");
    expect(await filesOf(stateDir)).toEqual(["a.txt"]);
  });

  test("an empty artifact is one", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    expect(await store.put(RUN, "empty", "")).toMatchObject({ bytes: 0, sha256: sha256("") });
    expect(await readAll(store.read(RUN, "empty"))).toBe("");
  });

  test("one over the limit is cut and says so in its last line; size and hash are of what is stored", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts"), maxBytes: 10 });
    const writer = await store.open(RUN, "big");
    await writer.write(Buffer.from("0123456"));
    await writer.write(Buffer.from("789abc"));
    await writer.write(Buffer.from("def"));
    const stored = await writer.close();
    const text = await readAll(store.read(RUN, "big"));
    expect(text).toBe("0123456789\n[truncated by speckit: 16 bytes came, the first 10 are kept]\n");
    const facts = { name: "big", bytes: text.length, sha256: sha256(text) };
    expect(stored).toEqual({ ...facts, truncated: true });
    expect(await store.put(RUN, "fits", "0123456789")).toMatchObject({ bytes: 10 });
  });

  test("names links and strangers among a run's files, not what is being written", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    await store.put(RUN, "plan-1/a", "x");
    const writer = await store.open(RUN, "plan-1/b");
    const run = join(stateDir, "artifacts", RUN);
    await symlink(stateDir, join(run, "link"));
    await writeFile(join(run, "plan-1", ".hidden"), "");
    expect(await store.list(RUN)).toEqual(["link", "plan-1/.hidden", "plan-1/a"]);
    await writer.discard();
  });

  test("a deletion that a crash has cut short is ended by the next one, and strangers stay", async () => {
    const folder = join(stateDir, "artifacts");
    const store = fileArtifactStore({ folder });
    await mkdir(join(folder, `.deleting-${RUN}-1`, "plan-1"), { recursive: true });
    await writeFile(join(folder, `.deleting-${RUN}-1`, "plan-1", "a"), "x");
    await mkdir(join(folder, ".snapshot"));
    expect(await store.runsHere()).toEqual([]);
    await Promise.all([store.removeLeftovers(), store.removeLeftovers()]);
    expect(await readdir(folder)).toEqual([".snapshot"]);
  });

  test("folders and files are for this user alone", async () => {
    await fileArtifactStore({ folder: join(stateDir, "artifacts") }).put(RUN, "plan-1/a", "x");
    const modes = await Promise.all(
      ["artifacts", `artifacts/${RUN}`, `artifacts/${RUN}/plan-1`, `artifacts/${RUN}/plan-1/a`].map(
        async (path) => ((await stat(join(stateDir, path))).mode & 0o777).toString(8),
      ),
    );
    expect(modes).toEqual(["700", "700", "700", "600"]);
  });

  test("a symlink anywhere in the path is refused, and nothing behind it is touched", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    const outside = join(stateDir, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "kept");
    const run = join(stateDir, "artifacts", RUN);
    await mkdir(run, { recursive: true });
    await symlink(outside, join(run, "linked"));
    await symlink(join(outside, "secret"), join(run, "file"));
    await symlink(outside, join(stateDir, "artifacts", "other-run"));

    for (const [runId, name] of [
      [RUN, "linked/secret"],
      [RUN, "linked/new"],
      [RUN, "file"],
      ["other-run", "secret"],
    ] as const) {
      await expect(store.put(runId, name, "x")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
      await expect(readAll(store.read(runId, name))).rejects.toMatchObject({
        code: "INTERNAL_ERROR",
      });
    }
    expect(await readdir(outside)).toEqual(["secret"]);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("kept");
  });

  test("what is not a regular file is neither replaced nor waited for", async () => {
    const store = fileArtifactStore({ folder: join(stateDir, "artifacts") });
    const run = join(stateDir, "artifacts", RUN);
    await mkdir(join(run, "folder"), { recursive: true });
    execFileSync("mkfifo", [join(run, "pipe")]);
    for (const name of ["folder", "pipe"]) {
      await expect(store.put(RUN, name, "x")).rejects.toThrow("not a regular file");
      await expect(readAll(store.read(RUN, name))).rejects.toThrow("not a regular file");
    }
  });

  test("a full disk is DISK_FULL, and leaves no half artifact", () => {
    const program = fileURLToPath(new URL("./full-disk-program.ts", import.meta.url));
    const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
    const script = `mount -t tmpfs -o size=256k none "$1" && exec "$2" "$3" "$1"`;
    const said = execFileSync(
      "unshare",
      [...user, "--mount", "sh", "-c", script, "sh", stateDir, process.execPath, program],
      { encoding: "utf8" },
    );
    expect(JSON.parse(said)).toEqual({ code: "DISK_FULL", left: ["small"], small: "fits" });
  });
});
