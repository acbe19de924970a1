import fc from "fast-check";
import { expect, test } from "vitest";
import { SLUG_MAX_LENGTH, slugOf } from "../../src/domain/slug.ts";

/** Any UTF-16 there is, halves of pairs too. */
const anyUnits = fc
  .array(fc.nat({ max: 0xffff }), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

test("a slug has the sentence's words, without accents and symbols", () => {
  expect(slugOf("Add OAuth login!")).toBe("add-oauth-login");
  expect(slugOf("  Füge   Écran n°2 hinzu ")).toBe("fuge-ecran-n-2-hinzu");
});

test("a long sentence is cut between words, a long word within", () => {
  expect(slugOf("one two three four five six seven eight nine")).toBe(
    "one-two-three-four-five-six-seven-eight",
  );
  expect(slugOf("x".repeat(60))).toBe("x".repeat(SLUG_MAX_LENGTH));
  expect(slugOf(`a ${"x".repeat(60)}`)).toBe("a");
});

test("a sentence without a word that has an ASCII form gives run", () => {
  expect(["", "!?", "登录"].map(slugOf)).toEqual(["run", "run", "run"]);
});

test("whatever the sentence, the slug can stand in a branch and a directory", () => {
  fc.assert(
    fc.property(anyUnits, (sentence) => {
      const slug = slugOf(sentence);
      expect(slug).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
      expect(slug.length).toBeLessThanOrEqual(SLUG_MAX_LENGTH);
    }),
  );
});
