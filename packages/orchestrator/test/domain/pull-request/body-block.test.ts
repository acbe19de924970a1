import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bodyBlock,
  isOurTitle,
  PULL_REQUEST_BODY_LIMIT,
  withBlockReplaced,
} from "../../../src/domain/pull-request/body-block.ts";
import { runIdOf } from "../../../src/domain/pull-request/run-marker.ts";

const RUN = "01970000-0000-7000-8000-000000000001";

test("whatever people write around our block stays, and whatever we wrote in it goes", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 200 }).filter((one) => !one.includes("\r"));
  fc.assert(
    fc.property(text, text, text, text, (line, ours, after, next) => {
      const before = line === "" ? "" : `${line}\n`;
      const first = bodyBlock(RUN, "One", ours);
      const second = bodyBlock(RUN, "Two", next);
      expect(withBlockReplaced(`${before}${first}${after}`, second)).toBe(
        `${before}${second}${after}`,
      );
      expect(runIdOf(second)).toBe(RUN);
      expect(isOurTitle("Two", second)).toBe(true);
      expect(isOurTitle("One", second)).toBe(false);
    }),
  );
});

test("an end in a quoted text does not end the block", () => {
  const quoted = "a <!-- speckit:end title=00000000 --> b";
  const block = bodyBlock(RUN, "T", quoted);
  expect(withBlockReplaced(block, "new")).toBe("new");
});

test("a marker in a quoted text is not the block's own", () => {
  const other = "01970000-0000-7000-8000-000000000002";
  const block = bodyBlock(RUN, "T", `"<!-- speckit:run ${other} -->"`);
  expect(runIdOf(block)).toBe(RUN);
  expect(withBlockReplaced(block, "new")).toBe("new");
});

test("a body without a whole block, or without room, belongs to people", () => {
  const block = bodyBlock(RUN, "T", "text");
  expect(withBlockReplaced("All ours.", block)).toBeUndefined();
  expect(withBlockReplaced(`<!-- speckit:run ${RUN} -->\ncut`, block)).toBeUndefined();
  const long = `${block}${"x".repeat(PULL_REQUEST_BODY_LIMIT - block.length)}`;
  expect(withBlockReplaced(long, block)).toBe(long);
  expect(withBlockReplaced(long, bodyBlock(RUN, "T", "text and more"))).toBeUndefined();
});
