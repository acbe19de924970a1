import { relative, resolve, sep } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { artifactParts } from "../../../src/adapters/artifacts/artifact-path.ts";
import { diskError } from "../../../src/adapters/artifacts/disk-error.ts";
import { isSpeckitError } from "../../../src/domain/speckit-error.ts";

/** Any UTF-16 there is, halves of pairs too. */
const anyUnits = fc
  .array(fc.nat({ max: 0xffff }), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

const RUN = "0197f0a0-0000-7000-8000-000000000001";

const hostile = fc.oneof(
  anyUnits,
  fc
    .array(
      fc.constantFrom("..", ".", "", "a", "/", "\\", "\0", "~", "C:", "-", ".writing-x", "%2e%2e"),
      { maxLength: 6 },
    )
    .map((parts) => parts.join("/")),
);

describe("artifactParts", () => {
  test("takes the names the pipeline uses", () => {
    const names = ["prompt.md", "plan-1/stdout.log", "bundle", "specify-12/diff.patch", "a/b/c_d"];
    for (const name of names) {
      expect(artifactParts(RUN, name)).toEqual([RUN, ...name.split("/")]);
    }
  });

  test("refuses each kind of name that could mean something else", () => {
    const names = ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\\b", "a\0b", "a\nb"];
    names.push(".hidden", "a/.writing-1", "-rf", "a b", "ü", "x".repeat(201), "a/".repeat(9));
    for (const name of names) {
      expect(() => artifactParts(RUN, name), name).toThrow("artifact's name");
    }
    for (const runId of ["", "..", "a/b", ".", "x".repeat(65)]) {
      expect(() => artifactParts(runId, "a"), runId).toThrow("run's id");
    }
  });

  test("no text at all leaves the run's folder", () => {
    fc.assert(
      fc.property(hostile, hostile, (runId, name) => {
        try {
          const parts = artifactParts(runId, name);
          const inside = relative(
            resolve("/root-folder", runId),
            resolve("/root-folder", ...parts),
          );
          expect(inside).not.toBe("");
          expect(inside.split(sep)).not.toContain("..");
          expect(parts.join("")).toMatch(/^[\x21-\x7e]+$/);
        } catch (error) {
          expect(isSpeckitError(error) && error.code).toBe("INTERNAL_ERROR");
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("a full disk and a used-up quota are DISK_FULL, anything else is not", () => {
  const code = (errno: string) =>
    diskError(Object.assign(new Error("x"), { code: errno }), "It").code;
  expect(["ENOSPC", "EDQUOT", "EIO"].map(code)).toEqual([
    "DISK_FULL",
    "DISK_FULL",
    "INTERNAL_ERROR",
  ]);
});
