import { expect, test } from "vitest";
import { visible } from "../src/output/visible.ts";

test("text of others cannot steer a terminal, and stays readable", () => {
  expect(visible("a\u001b[31mb\u009bc\u202ed\u0000\r\ud800")).toBe(
    "a\\u{1b}[31mb\\u{9b}c\\u{202e}d\\u{0}\\u{d}\\u{d800}",
  );
  expect(visible("Grüße, 名前\n\t🚀")).toBe("Grüße, 名前\n\t🚀");
});
