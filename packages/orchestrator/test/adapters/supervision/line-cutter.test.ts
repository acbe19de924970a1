import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteTail } from "../../../src/adapters/supervision/byte-tail.ts";
import { LINE_MAX_BYTES, LineCutter } from "../../../src/adapters/supervision/line-cutter.ts";

function cut(pieces: readonly Uint8Array[], maxBytes?: number): string[] {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => lines.push(line), maxBytes);
  for (const piece of pieces) {
    cutter.push(piece);
  }
  cutter.end();
  return lines;
}

const bytes = (text: string) => Buffer.from(text, "utf8");

describe("LineCutter", () => {
  test("tells lines without their ends, the last one too", () => {
    expect(cut([bytes("a\nb\r\n\nc")])).toEqual(["a", "b", "", "c"]);
    expect(cut([bytes("a\n")])).toEqual(["a"]);
    expect(cut([])).toEqual([]);
  });

  test("how the bytes arrive does not matter", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 8 }),
        fc.array(fc.nat({ max: 60 }), { maxLength: 8 }),
        (texts, cuts) => {
          const all = bytes(texts.join("\n"));
          const pieces: Uint8Array[] = [];
          let from = 0;
          for (const length of cuts) {
            pieces.push(all.subarray(from, from + length));
            from += length;
          }
          pieces.push(all.subarray(Math.min(from, all.length)));
          expect(cut(pieces)).toEqual(cut([all]));
        },
      ),
    );
  });

  test("a line over the limit is cut, and the next one is whole", () => {
    expect(cut([bytes(`${"x".repeat(15)}\nshort\n`)], 10)).toEqual(["x".repeat(10), "short"]);
    const long = cut([Buffer.alloc(LINE_MAX_BYTES + 5, "y"), bytes("z\nnext")]);
    expect(long.map((line) => line.length)).toEqual([LINE_MAX_BYTES, 4]);
  });

  test("a cut never splits a character", () => {
    for (const character of ["é", "€", "𝄞"]) {
      for (let before = 0; before < 5; before += 1) {
        const [line] = cut([bytes("a".repeat(before) + character.repeat(10))], 9);
        expect(line).not.toContain("\ufffd");
        expect(bytes(line ?? "").length).toBeGreaterThan(9 - bytes(character).length);
      }
    }
  });

  test("bytes that are not UTF-8, NULs and byte order marks survive as text", () => {
    expect(cut([Buffer.from([0x61, 0xff, 0x00, 0x62, 0x0a]), bytes("\ufeffx")])).toEqual([
      "a\ufffd\0b",
      "\ufeffx",
    ]);
  });
});

describe("ByteTail", () => {
  test("keeps the last bytes, whatever the pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 40 }), { maxLength: 10 }), (texts) => {
        const tail = new ByteTail(16);
        for (const text of texts) {
          tail.push(Buffer.from(text, "latin1"));
        }
        const whole = Buffer.from(texts.join(""), "latin1");
        const expected = whole.subarray(Math.max(0, whole.length - 16)).toString("utf8");
        expect(tail.text().length).toBeLessThanOrEqual(16);
        expect(expected.endsWith(tail.text())).toBe(true);
      }),
    );
  });

  test("leaves out a character cut at the front", () => {
    const tail = new ByteTail(5);
    tail.push(bytes("ab€cd€"));
    expect(tail.text()).toBe("cd€");
    tail.push(bytes("xyz"));
    expect(tail.text()).toBe("xyz");
  });
});
