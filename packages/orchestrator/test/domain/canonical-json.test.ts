import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/domain/canonical-json.ts";

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(shuffled);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, shuffled(item)]),
      )
    : value;
}

describe("canonicalJson", () => {
  test("sorts keys at every depth and keeps the order of arrays", () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }, 2], a: "x" })).toBe(
      '{"a":"x","b":[{"c":null,"d":1},2]}',
    );
    expect(canonicalJson([2, 1])).not.toBe(canonicalJson([1, 2]));
  });

  test("equal values give equal text, and the text is the value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("different values give different text", () => {
    const different = [
      {},
      [],
      null,
      "",
      0,
      false,
      { a: null },
      { a: [] },
      [null],
      ["a"],
      { "a,b": 1 },
      "null",
    ];
    expect(new Set(different.map(canonicalJson)).size).toBe(different.length);
  });

  test("keeps a key that is a name of Object.prototype", () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1},"constructor":2}'))).toBe(
      '{"__proto__":{"a":1},"constructor":2}',
    );
  });
});
