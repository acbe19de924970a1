import { expect, test } from "vitest";
import { withTrailers } from "../../../src/adapters/git/with-trailers.ts";

const MORE = ["Co-authored-by: Ada <ada@example.org>", "Signed-off-by: S <s@example.org>"];

test.each([
  [
    "joins the block of trailers",
    "docs: plan\n\nSpeckit-Run: 1\n",
    "docs: plan\n\nSpeckit-Run: 1\n",
  ],
  ["begins a block behind a text", "docs: plan\n\nA text.\n", "docs: plan\n\nA text.\n\n"],
  ["never joins the subject", "docs: plan\n", "docs: plan\n\n"],
])("it %s", (_what, message, before) => {
  expect(withTrailers(message, MORE)).toBe(`${before}${MORE.join("\n")}\n`);
});

test("without trailers a message stays as it is", () => {
  expect(withTrailers("docs: plan\n\n\n", [])).toBe("docs: plan\n\n\n");
});
