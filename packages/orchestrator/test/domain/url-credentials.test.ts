import { expect, test } from "vitest";
import { withoutUrlCredentials } from "../../src/domain/url-credentials.ts";

test.each([
  ["https://user:token@example.org/a", "https://[redacted]@example.org/a"],
  ["https://token@example.org/a", "https://[redacted]@example.org/a"],
  [
    '{"repository":"HTTP:\\/\\/u:p%40w@example.org\\/a"}',
    '{"repository":"HTTP:\\/\\/[redacted]@example.org\\/a"}',
  ],
  [
    "https://a:b@one.example.org https://two.example.org/@x",
    "https://[redacted]@one.example.org https://two.example.org/@x",
  ],
  ["ssh://git@example.org/a", "ssh://git@example.org/a"],
  ["https://example.org/a mail me@example.org", "https://example.org/a mail me@example.org"],
])("%s", (text, masked) => {
  expect(withoutUrlCredentials(text)).toBe(masked);
});

test("a text that is nothing but the beginning of one is no work", () => {
  const text = `https://${"a:".repeat(500_000)}`;
  expect(withoutUrlCredentials(text)).toBe(text);
});
