import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { branchNameFor, isBranchName } from "../../src/domain/branch-name.ts";
import { anyText } from "../any-text.ts";

/** Reads names that end with NUL; prints for each whether git takes it as a branch and as a ref. */
const ASK_GIT = `
while IFS= read -r -d '' name; do
  git check-ref-format --branch "$name" >/dev/null 2>&1 && git check-ref-format "refs/heads/$name" && echo yes || echo no
done`;

/** What git says about each name, in order. */
async function gitAccepts(names: readonly string[]): Promise<readonly boolean[]> {
  const output = await new Promise<string>((resolve, reject) => {
    // Outside of any repository: there, git would look up @{-1}.
    const env = { PATH: process.env.PATH, GIT_CEILING_DIRECTORIES: tmpdir(), LC_ALL: "C.UTF-8" };
    const child = execFile("bash", ["-c", ASK_GIT], { cwd: tmpdir(), env }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
    child.stdin?.end(names.map((name) => `${name}\0`).join(""));
  });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => line === "yes");
}

const nasty = fc.constantFrom(
  ..."aZ0-._/@{}~^:?*[]\\ \t\n\u007f\u0085é名\ud83d\ude80%!$&'\"`|;<>",
  "..",
  "//",
  "@{",
  ".lock",
  "HEAD",
  "refs/",
  "heads/",
  "-",
  "/.",
  "./",
  "$(id)",
  "con",
  "aux.",
  "\u202e",
  "\u200b",
  "\u0430",
  "\u03b1",
  "\uff0f",
  "u\u0308",
  "--upload-pack=x",
);
const plain = fc.constantFrom("a", "main", "x1", "feature", "-", "/", ".", "_");
const anyName = fc
  .array(fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: nasty }), {
    maxLength: 8,
  })
  .map((parts) => parts.join(""));

describe("F38: isBranchName, against git", { timeout: 60_000 }, () => {
  test("accepts nothing that git refuses, and refuses only more than git by our own rules", async () => {
    const names = [...new Set(fc.sample(fc.oneof(anyName, anyText), 600))].filter(
      (name) => !name.includes("\0") && name.isWellFormed(),
    );
    const verdicts = await gitAccepts(names);
    const asked = names.map((name, ix) => ({ name, git: verdicts[ix], ours: isBranchName(name) }));
    expect(verdicts).toHaveLength(names.length);
    expect(asked.filter(({ git, ours }) => ours && !git)).toEqual([]);
    const stricter = asked.filter(({ git, ours }) => git && !ours).map(({ name }) => name);
    expect(stricter.filter((name) => !isOurOwnRule(name))).toEqual([]);
    // Both kinds were asked in numbers, or this says nothing.
    expect(asked.filter(({ ours }) => ours).length).toBeGreaterThan(50);
    expect(asked.filter(({ git }) => !git).length).toBeGreaterThan(50);
  });

  test("git takes the branch of any sentence", async () => {
    const sentences = fc.sample(anyText, 100);
    const names = sentences.map((sentence) =>
      branchNameFor(sentence, createHash("sha256").update(sentence).digest("hex")),
    );
    expect(await gitAccepts(names)).toEqual(names.map(() => true));
  });
});

/**
 * Refused although git takes it: an option in a part, git's own names, Windows' devices, length, and
 * what shows as something else, as nothing, or means something to a shell or a terminal.
 */
function isOurOwnRule(name: string): boolean {
  const letters = name.match(/[\p{L}\p{M}]+/gu) ?? [];
  return (
    /(^|\/)-/.test(name) ||
    name.startsWith("refs/") ||
    name === "@" ||
    /(^|\/)(con|prn|aux|nul|com\d|lpt\d)(\.|\/|$)/i.test(name) ||
    /[^\p{L}\p{M}\p{N}._/@+#=,-]|\p{Default_Ignorable_Code_Point}/u.test(name) ||
    name.normalize("NFKC") !== name ||
    letters.some(
      (word) => /\p{Script=Latin}/u.test(word) && /\p{sc=Cyrl}|\p{sc=Grek}/u.test(word),
    ) ||
    Buffer.byteLength(name) > 200
  );
}
