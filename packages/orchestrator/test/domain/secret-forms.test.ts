import fc from "fast-check";
import { expect, test } from "vitest";
import { secretMasker } from "../../src/domain/secret-forms.ts";

const SECRET = 'p@ss "word"/1';

const inBase64 = (text: string) => Buffer.from(text).toString("base64");

test.each([
  ["as it is", SECRET],
  ["URL encoded", encodeURIComponent(SECRET)],
  ["JSON escaped", JSON.stringify(SECRET)],
  ["base64", inBase64(SECRET)],
  ["base64 for URLs", Buffer.from(`${SECRET}??>`).toString("base64url")],
  ["base64 with a newline behind it", inBase64(`${SECRET}\n`)],
  ["base64 one byte behind the start", inBase64(`:${SECRET}:`)],
  ["base64 two bytes behind the start", inBase64(`a:${SECRET}`)],
])("a secret is masked %s", (_how, text) => {
  const line = secretMasker([SECRET])(`before ${text} after`);
  expect(line).toMatch(/^before .*\[redacted\].* after$/);
  expect(line).not.toContain("word");
  expect(line.length).toBeLessThan("before [redacted] after".length + 14);
});

test("of two secrets the longer one is masked first", () => {
  expect(secretMasker(["secret", "secret-more"])("a secret-more b")).toBe("a [redacted] b");
});

test("a line without a secret stays as it is", () => {
  const redact = secretMasker(["unlikely-secret-value"]);
  fc.assert(fc.property(fc.string(), (text) => redact(text) === text));
});
