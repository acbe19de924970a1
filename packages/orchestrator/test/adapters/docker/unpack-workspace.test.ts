import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packFolder } from "../../../src/adapters/docker/tar/pack-folder.ts";
import { readTexts } from "../../../src/adapters/docker/tar/read-texts.ts";
import { END_OF_ARCHIVE, padding, tarHeader } from "../../../src/adapters/docker/tar/tar-header.ts";
import { unpackWorkspace } from "../../../src/adapters/docker/tar/unpack-workspace.ts";

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "speckit-tar-"));
  root = join(folder, "workspace");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LIMITS = { workspaceMaxBytes: 10_000_000, workspaceMaxEntries: 1_000 };
const ABOUT = { mode: 0o644, owner: 10_001, mtimeSeconds: 1_700_000_000 };

const folderEntry = (name: string) => tarHeader({ ...ABOUT, type: "folder", name, mode: 0o755 });
const symlink = (name: string, target: string) =>
  tarHeader({ ...ABOUT, type: "symlink", name, target });
function file(name: string, content = "content", mode = 0o644): Buffer {
  const bytes = Buffer.from(content);
  const header = tarHeader({ ...ABOUT, type: "file", name, bytes: bytes.length, mode });
  return Buffer.concat([header, bytes, padding(bytes.length)]);
}
/** An entry of a kind that we never make: the type of another header changed, its checksum made right. */
function odd(flag: string, name: string, target = ""): Buffer {
  const header = tarHeader({ ...ABOUT, type: "symlink", name, target });
  header.write(flag, 156, "latin1");
  header.fill(" ", 148, 156);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

const unpack = (entries: readonly Buffer[], limits: Partial<typeof LIMITS> = {}) =>
  unpackWorkspace([Buffer.concat([...entries, END_OF_ARCHIVE])], {
    root,
    top: "workspace",
    limits: { ...LIMITS, ...limits },
  });
const TOP = folderEntry("workspace/");

describe("what an agent left", () => {
  test("files, folders and symlinks come as they were, in the place of what was there", async () => {
    mkdirSync(root);
    writeFileSync(join(root, "old"), "");
    const left = await unpack([
      TOP,
      folderEntry("workspace/a/"),
      file("workspace/a/run.sh", "#!/bin/sh\n", 0o4755),
      file("workspace/a/empty", ""),
      symlink("workspace/b", "a/run.sh"),
      symlink("workspace/out", "/etc/passwd"),
      odd("1", "workspace/hard", "workspace/a/run.sh"),
    ]);
    expect(left).toEqual([]);
    expect(readdirSync(root).sort()).toEqual(["a", "b", "hard", "out"]);
    expect(readFileSync(join(root, "a/run.sh"), "utf8")).toBe("#!/bin/sh\n");
    expect(lstatSync(join(root, "a/run.sh")).mode & 0o7777).toBe(0o755);
    expect(readFileSync(join(root, "hard"), "utf8")).toBe("#!/bin/sh\n");
    expect(readlinkSync(join(root, "b"))).toBe("a/run.sh");
    expect(readlinkSync(join(root, "out"))).toBe("/etc/passwd");
  });

  test("pipes and devices are left out and named", async () => {
    const left = await unpack([
      TOP,
      odd("6", "workspace/pipe"),
      odd("3", "workspace/char"),
      odd("4", "workspace/block"),
      odd("Z", "workspace/odd"),
      file("workspace/after"),
    ]);
    expect(left?.map(({ path, what }) => `${path}: ${what}`)).toEqual([
      "pipe: a named pipe",
      "char: a device",
      "block: a device",
      "odd: something that is no file",
    ]);
    expect(readdirSync(root)).toEqual(["after"]);
  });

  test("of .git only HEAD and the refs are kept", async () => {
    await unpack(
      [
        TOP,
        folderEntry("workspace/.git/"),
        file("workspace/.git/HEAD", "ref: refs/heads/main\n"),
        file("workspace/.git/config", "[core]\n"),
        folderEntry("workspace/.git/refs/"),
        folderEntry("workspace/.git/refs/heads/"),
        file("workspace/.git/refs/heads/main", "0".repeat(40)),
        folderEntry("workspace/.git/objects/"),
        folderEntry("workspace/.git/objects/aa/"),
        file("workspace/.git/objects/aa/bb", "x".repeat(2_000)),
        file("workspace/after"),
      ],
      { workspaceMaxBytes: 200 },
    );
    expect(readdirSync(join(root, ".git")).sort()).toEqual(["HEAD", "refs"]);
    expect(readdirSync(join(root, ".git/refs/heads"))).toEqual(["main"]);
    expect(existsSync(join(root, "after"))).toBe(true);
  });

  test("a workspace that is none, or no folder, is missing afterwards", async () => {
    mkdirSync(root);
    expect(await unpack([])).toBeUndefined();
    expect(existsSync(root)).toBe(false);
    mkdirSync(root);
    await expect(unpack([symlink("workspace", "/etc")])).resolves.toBeUndefined();
    expect(existsSync(root)).toBe(false);
  });
});

describe("a hostile archive", () => {
  const outside = () => readdirSync(folder).filter((name) => name !== "workspace");

  test.each([
    ["an absolute name", () => [TOP, file("/tmp/speckit-evil")]],
    ["a name above", () => [TOP, file("workspace/../evil")]],
    ["a name above its top", () => [TOP, file("../evil")]],
    ["another top", () => [TOP, file("home/evil")]],
    ["an empty name in between", () => [TOP, file("workspace//evil")]],
    [
      "a file through a symlink",
      () => [TOP, symlink("workspace/a", ".."), file("workspace/a/evil")],
    ],
    ["a file over a symlink", () => [TOP, symlink("workspace/a", "../evil"), file("workspace/a")]],
    [
      "a folder over a symlink",
      () => [
        TOP,
        symlink("workspace/a", ".."),
        folderEntry("workspace/a/"),
        file("workspace/a/evil"),
      ],
    ],
    ["a file in a file", () => [TOP, file("workspace/a"), file("workspace/a/evil")]],
    ["a file in no folder", () => [TOP, file("workspace/none/evil")]],
    ["a hard link from outside", () => [TOP, odd("1", "workspace/evil", "/etc/passwd")]],
    [
      "a hard link from above",
      () => [TOP, odd("1", "workspace/evil", "workspace/../../etc/passwd")],
    ],
    [
      "a hard link through a symlink",
      () => [TOP, symlink("workspace/a", "/etc"), odd("1", "workspace/evil", "workspace/a/passwd")],
    ],
    ["a file before its top", () => [file("workspace/evil"), TOP]],
  ])("is refused, and nothing is outside: %s", async (_, entries) => {
    await expect(unpack(entries())).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(outside()).toEqual([]);
  });

  test("a hard link to a symlink or a pipe copies nothing", async () => {
    const left = await unpack([
      TOP,
      symlink("workspace/a", "/etc/passwd"),
      odd("1", "workspace/b", "workspace/a"),
      odd("1", "workspace/c", "workspace/missing"),
    ]);
    expect(left?.map(({ path }) => path)).toEqual(["b", "c"]);
    expect(readdirSync(root)).toEqual(["a"]);
  });

  test("sizes are checked before anything is written", async () => {
    const huge = tarHeader({ ...ABOUT, type: "file", name: "workspace/huge", bytes: 2 ** 50 });
    await expect(unpack([TOP, huge])).rejects.toMatchObject({ code: "WORKSPACE_TOO_LARGE" });
    expect(readdirSync(root)).toEqual([]);
    const many = Array.from({ length: 20 }, (_, ix) => file(`workspace/${ix}`, "x".repeat(600)));
    await expect(unpack([TOP, ...many], { workspaceMaxBytes: 10_000 })).rejects.toMatchObject({
      code: "WORKSPACE_TOO_LARGE",
    });
    expect(readdirSync(root).length).toBe(16);
    const links = Array.from({ length: 20 }, (_, ix) =>
      odd("1", `workspace/l${ix}`, "workspace/first"),
    );
    await expect(
      unpack([TOP, file("workspace/first", "x".repeat(900)), ...links], {
        workspaceMaxBytes: 5_000,
      }),
    ).rejects.toMatchObject({ code: "WORKSPACE_TOO_LARGE" });
  });

  test("there is a limit to how many files there are", async () => {
    const many = Array.from({ length: 20 }, (_, ix) => file(`workspace/${ix}`, ""));
    await expect(unpack([TOP, ...many], { workspaceMaxEntries: 10 })).rejects.toMatchObject({
      code: "WORKSPACE_TOO_LARGE",
    });
  });

  test.each([
    ["cut off in a header", (whole: Buffer) => whole.subarray(0, 700)],
    ["cut off in a content", (whole: Buffer) => whole.subarray(0, 1026)],
    [
      "with a wrong checksum",
      (whole: Buffer) =>
        Buffer.concat([whole.subarray(0, 600), Buffer.from("x"), whole.subarray(601)]),
    ],
    ["that is empty", () => Buffer.alloc(0)],
    ["that is none", () => Buffer.from("x".repeat(2_000))],
  ])("one %s is refused", async (_, damage) => {
    const whole = Buffer.concat([TOP, file("workspace/a"), END_OF_ARCHIVE]);
    await expect(
      unpackWorkspace([damage(whole)], { root, top: "workspace", limits: LIMITS }),
    ).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });

  test("a path that is deeper than any source tree is left out, and what comes after it is not", async () => {
    const names = Array.from({ length: 250 }, () => "d");
    const folders = names.map((_, ix) =>
      folderEntry(`workspace/${names.slice(0, ix + 1).join("/")}/`),
    );
    const left = await unpack([TOP, ...folders, file("workspace/after")]);
    expect(left?.length).toBe(50);
    expect(existsSync(join(root, "after"))).toBe(true);
  });
});

describe("a packed folder", () => {
  function plant(): string {
    const source = join(folder, "source");
    mkdirSync(join(source, "deep".repeat(20), "deeper".repeat(15)), { recursive: true });
    writeFileSync(join(source, "deep".repeat(20), "deeper".repeat(15), "n".repeat(200)), "long");
    writeFileSync(join(source, "run.sh"), "#!/bin/sh\n");
    chmodSync(join(source, "run.sh"), 0o755);
    utimesSync(join(source, "run.sh"), 1_600_000_000, 1_600_000_000);
    writeFileSync(join(source, "large"), Buffer.alloc(1_000_003, "x"));
    writeFileSync(Buffer.concat([Buffer.from(`${source}/latin-`), Buffer.from([0xe9])]), "é");
    writeFileSync(join(source, "ünïcode"), "ü");
    symlinkSync(`../${"far/".repeat(40)}away`, join(source, "link"));
    execFileSync("mkfifo", [join(source, "pipe")]);
    return source;
  }

  async function packed(source: string): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of packFolder(source, "workspace")) {
      pieces.push(piece);
    }
    return Buffer.concat([...pieces, END_OF_ARCHIVE]);
  }

  test("is what GNU tar unpacks, with modes, times, long names and names that are not UTF-8", async () => {
    const source = plant();
    const out = join(folder, "out");
    mkdirSync(out);
    execFileSync("tar", ["-xf", "-", "-C", out], { input: await packed(source) });
    rmSync(join(source, "pipe"));
    execFileSync("diff", ["-r", "--no-dereference", source, join(out, "workspace")]);
    const facts = lstatSync(join(out, "workspace/run.sh"));
    expect(facts.mode & 0o777).toBe(0o755);
    expect(facts.mtimeMs).toBe(1_600_000_000_000);
  });

  test("is what we unpack, in pieces of any size", async () => {
    const source = plant();
    const archive = await packed(source);
    rmSync(join(source, "pipe"));
    for (const size of [1_000_000, 4_099, 511]) {
      const pieces = Array.from({ length: Math.ceil(archive.length / size) }, (_, ix) =>
        archive.subarray(ix * size, (ix + 1) * size),
      );
      await unpackWorkspace(pieces, { root, top: "workspace", limits: LIMITS });
      execFileSync("diff", ["-r", "--no-dereference", source, root]);
    }
  });

  test("what GNU tar packs is unpacked too, in each of its formats", async () => {
    const source = plant();
    for (const format of ["posix", "gnu"]) {
      const archive = execFileSync(
        "tar",
        [
          "-cf",
          "-",
          `--format=${format}`,
          "--transform=s,^source,workspace,S",
          "-C",
          folder,
          "source",
        ],
        { maxBuffer: 10_000_000 },
      );
      const left = await unpackWorkspace([archive], { root, top: "workspace", limits: LIMITS });
      expect(left).toEqual([{ path: "pipe", what: "a named pipe" }]);
      execFileSync("diff", ["-r", "--no-dereference", "--exclude=pipe", source, root]);
    }
  });

  test("texts are read up to their budget", async () => {
    const archive = Buffer.concat([
      folderEntry("sessions/"),
      file("sessions/a.jsonl", "x".repeat(60)),
      file("sessions/b.jsonl", "y".repeat(60)),
      symlink("sessions/c.jsonl", "/etc/passwd"),
      file("sessions/d.jsonl", "z".repeat(40)),
      END_OF_ARCHIVE,
    ]);
    const { files, leftBytes } = await readTexts([archive], ".codex/sessions", 100);
    expect(files.map(({ path, content }) => `${path}: ${content[0]}`)).toEqual([
      ".codex/sessions/a.jsonl: x",
      ".codex/sessions/d.jsonl: z",
    ]);
    expect(leftBytes).toBe(0);
  });
});
