import fc from "fast-check";
import { expect, test } from "vitest";
import {
  featureDirectoryFor,
  highestFeatureNumber,
  isFeatureDirectory,
} from "../../src/domain/feature-directory.ts";

test("the directory made for any number and sentence is a feature directory", () => {
  expect(featureDirectoryFor(7, "Add OAuth login")).toBe("specs/007-add-oauth-login");
  expect(featureDirectoryFor(1234, "x")).toBe("specs/1234-x");
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_999_999 }), fc.string(), (number, sentence) => {
      const directory = featureDirectoryFor(number, sentence);
      expect(isFeatureDirectory(directory)).toBe(true);
      expect(highestFeatureNumber([directory.slice("specs/".length)])).toBe(number);
    }),
  );
});

test("Spec Kit's own forms are feature directories, other paths are not", () => {
  for (const good of ["specs/001-a", "specs/20260131-235959-a-b", "specs/1000-x1"]) {
    expect(isFeatureDirectory(good), good).toBe(true);
  }
  const bad = ["", "specs/01-a", "specs/001-", "specs/001-A", "specs/001-a/", "specs/001-a/b"];
  bad.push(
    "/specs/001-a",
    "spec/001-a",
    "specs/001-a\n",
    "specs/001-../..",
    `specs/001-${"a".repeat(120)}`,
  );
  for (const path of bad) {
    expect(isFeatureDirectory(path), path).toBe(false);
  }
});

test("the highest number counts numbered names alone", () => {
  expect(highestFeatureNumber([])).toBe(0);
  expect(highestFeatureNumber(["001-a", "042-b", "20260131-235959-c", "README.md", "07-x"])).toBe(
    42,
  );
});
