import fc from "fast-check";
import { expect, test } from "vitest";
import { redactor } from "../../../src/adapters/winston/index.ts";

const SECRET = 'p@ss "word"/1';

test.each([
  ["as it is", SECRET],
  ["URL encoded", encodeURIComponent(SECRET)],
  ["JSON escaped", JSON.stringify(SECRET)],
  ["base64", Buffer.from(SECRET).toString("base64")],
])("a secret is masked %s", (_how, text) => {
  const line = redactor([SECRET])(`before ${text} after`);
  expect(line).toMatch(/^before .*\[redacted\].* after$/);
  expect(line).not.toContain("word");
});

test("of two secrets the longer one is masked first", () => {
  expect(redactor(["secret", "secret-more"])("a secret-more b")).toBe("a [redacted] b");
});

test("a line without a secret stays as it is", () => {
  const redact = redactor(["unlikely-secret-value"]);
  fc.assert(fc.property(fc.string(), (text) => redact(text) === text));
});
