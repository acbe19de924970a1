import fc from "fast-check";
import { expect, test } from "vitest";
import { SecretMask } from "../../../src/adapters/supervision/secret-mask.ts";
import { SECRET_MASK, secretForms } from "../../../src/domain/secret-forms.ts";

const SECRETS = ["abcabcabd", "abcabcabd-more", "päss\nword/+"];
const FORMS = secretForms(SECRETS);

function masked(pieces: readonly Buffer[]): string {
  const mask = new SecretMask(SECRETS);
  return Buffer.concat([...pieces.map((piece) => mask.push(piece)), mask.end()]).toString();
}

test("however a stream is cut, no form of a secret is told, and the same comes out", () => {
  const part = fc.oneof(fc.constantFrom(...FORMS, "abcabc", "ab", "\n"), fc.string());
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.nat()), (parts, cuts) => {
      const bytes = Buffer.from(parts.join("\n"));
      const at = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
        (a, b) => a - b,
      );
      const pieces = at.map((end, ix) => bytes.subarray(at[ix - 1] ?? 0, end));
      const told = masked(pieces);
      expect(told).toBe(masked([bytes]));
      expect(FORMS.filter((form) => told.includes(form))).toEqual([]);
    }),
  );
});

test("what only begins like a secret is told, at the latest at the end", () => {
  const mask = new SecretMask(SECRETS);
  expect(Buffer.from(mask.push(Buffer.from("x abcab"))).toString()).toBe("x ");
  expect(Buffer.from(mask.push(Buffer.from("cabc"))).toString()).toBe("abc");
  expect(Buffer.from(mask.end()).toString()).toBe("abcabc");
});

test("of two secrets the longer one is waited for", () => {
  const mask = new SecretMask(SECRETS);
  expect(mask.push(Buffer.from("abcabcabd"))).toHaveLength(0);
  expect(Buffer.from(mask.push(Buffer.from("-more!"))).toString()).toBe("[redacted]!");
});

test("bytes that are no text pass as they are, and without secrets nothing is copied", () => {
  const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0a]);
  expect(Buffer.from(new SecretMask(SECRETS).push(bytes))).toEqual(bytes);
  expect(new SecretMask([]).push(bytes)).toBe(bytes);
});

// A search that begins anew behind each of them would take longer than a test may.
test("a long stream that is nothing but secrets is masked", () => {
  const count = 400_000;
  const told = masked([Buffer.from("abcabcabd ".repeat(count))]);
  expect(told === `${SECRET_MASK} `.repeat(count)).toBe(true);
});
