import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonText } from "../../../src/adapters/postgres/json-text.ts";
import { anyText } from "../../any-text.ts";

describe("jsonText", () => {
  test("replaces NUL and lone surrogates wherever they stand, and nothing else", () => {
    const value = { "a\u0000": ["b\u0000", { "\ud800c": "🚀 \udc00" }], n: 1.5, t: true, z: null };
    expect(JSON.parse(jsonText(value))).toEqual({
      "a\ufffd": ["b\ufffd", { "\ufffdc": "🚀 \ufffd" }],
      n: 1.5,
      t: true,
      z: null,
    });
  });

  test("leaves out what has no JSON, as JSON does", () => {
    expect(jsonText({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
    expect(jsonText([])).toBe("[]");
    expect(jsonText(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });

  test("of any value is JSON without what jsonb refuses", () => {
    const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        anyText,
        fc.integer(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(anyText, tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(anyValue, (value) => {
        const text = jsonText(value);
        expect(text).not.toMatch(/\\u0000|\\ud[89a-f][0-9a-f]{2}/i);
        expect(() => JSON.parse(text)).not.toThrow();
      }),
    );
  });
});
