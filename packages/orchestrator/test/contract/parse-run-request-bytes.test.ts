import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRunRequestBytes, REQUEST_MAX_BYTES } from "../../src/contract/index.ts";
import { anyText } from "../any-text.ts";
import { bytesOf, minimal, refusalOf, refusalOfJson } from "./refusal.ts";

describe("a request's bytes", () => {
  test("are read as UTF-8, and what was received is kept beside what it means", () => {
    const received = { ...minimal, specifyText: "Füge 登录 hinzu 🚀" };
    expect(parseRunRequestBytes(bytesOf(JSON.stringify(received)))).toEqual({
      request: received,
      received,
    });
    expect(parseRunRequestBytes(bytesOf(`\ufeff ${JSON.stringify(minimal)}\n`)).request).toEqual(
      minimal,
    );
  });

  test("of 256 kB are taken, one more is refused, and a megabyte is not even read", () => {
    const spare = REQUEST_MAX_BYTES - JSON.stringify({ ...minimal, specifyText: "" }).length;
    const sized = (length: number) =>
      bytesOf(JSON.stringify({ ...minimal, specifyText: "x".repeat(length) }));
    expect(parseRunRequestBytes(sized(spare)).request.specifyText).toHaveLength(spare);
    const refused = refusalOf(sized(spare + 1));
    expect(refused.code).toBe("REQUEST_TOO_LARGE");
    expect(refused.message).toMatch(/has 262145 bytes, at most 262144/);
    // Not JSON either: only its size was looked at.
    expect(refusalOf(new Uint8Array(1_000_000).fill(0x7b)).code).toBe("REQUEST_TOO_LARGE");
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["an invalid byte", Uint8Array.of(...bytesOf('{"a":"'), 0xff, ...bytesOf('"}'))],
    ["a cut character", bytesOf(JSON.stringify("é")).slice(0, -2)],
    ["an encoded surrogate", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["an overlong character", Uint8Array.of(0x22, 0xc0, 0xaf, 0x22)],
    ["UTF-16", new Uint8Array(Buffer.from(JSON.stringify(minimal), "utf16le"))],
    ["NUL bytes", new Uint8Array(100)],
    ["a cut document", bytesOf(JSON.stringify(minimal).slice(0, -1))],
    ["two documents", bytesOf("{}{}")],
    ["a word", bytesOf("hello")],
    ["NaN", bytesOf('{"metadata":{"x":NaN}}')],
    ["depth without an end", bytesOf("[".repeat(200_000))],
  ])("that are %s are no JSON", (_name, bytes) => {
    expect(refusalOf(bytes).code).toBe("REQUEST_NOT_JSON");
  });

  test.each<[string, string]>([
    ["null", "received null"],
    ["[]", "received array"],
    [JSON.stringify([minimal]), "received array"],
    ["7", "received number"],
    ['"x"', "received string"],
    ["true", "received boolean"],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, "received array"],
  ])("that hold no object are refused as a whole", (text, expected) => {
    const { code, message } = refusalOf(bytesOf(text));
    expect(code).toBe("REQUEST_INVALID");
    expect(message).toMatch(/^the request: /);
    expect(message).toContain(expected);
  });

  test("with depth in a field are refused by that field", () => {
    const text = JSON.stringify(minimal).slice(0, -1);
    const nested = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    expect(refusalOf(bytesOf(`${text},"metadata":${nested}}`)).message).toMatch(/^metadata.a: /);
    expect(refusalOf(bytesOf(`${text},"metadata":{"x":${nested}}}`)).message).toMatch(
      /^metadata.x: /,
    );
    expect(refusalOf(bytesOf(`${text},"labels":${nested}}`)).message).toMatch(/^labels: /);
    expect(refusalOf(bytesOf(`${text},"unknown":${nested}}`)).message).toContain('"unknown"');
  });

  test("with a number beyond all numbers are refused by that field", () => {
    const text = JSON.stringify(minimal).slice(0, -1);
    expect(refusalOf(bytesOf(`${text},"metadata":{"x":1e999}}`)).message).toMatch(/^metadata.x: /);
    expect(refusalOf(bytesOf(`${text},"limits":{"deadlineMs":1e999}}`)).message).toMatch(
      /^limits.deadlineMs: /,
    );
  });

  test("are never met with anything but a request or a refusal that fits a log line", () => {
    const fields = fc.constantFrom(
      ...Object.keys(minimal),
      "runId",
      "branch",
      "agent",
      "phases",
      "limits",
      "metadata",
      "__proto__",
      "",
    );
    const nearly = fc
      .dictionary(fc.oneof(fields, anyText), fc.oneof(fc.jsonValue(), anyText), { maxKeys: 4 })
      .map((more) => bytesOf(JSON.stringify({ ...minimal, ...more })));
    const anyJson = fc.json().map(bytesOf);
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(nearly, anyJson, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        try {
          parseRunRequestBytes(bytes);
          seen.taken += 1;
        } catch (error) {
          seen.refused += 1;
          expect(error).toMatchObject({ name: "SpeckitError", class: "bad_message" });
          const { message } = error as Error;
          expect(message.length).toBeGreaterThan(10);
          expect(message.length).toBeLessThan(1_000);
          expect(message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          expect(message.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
    expect(seen.taken).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(100);
  });

  test("what is taken can be stored as it stands", () => {
    const values = fc.dictionary(anyText, fc.oneof(anyText, fc.double(), fc.boolean()), {
      maxKeys: 3,
    });
    fc.assert(
      fc.property(anyText, values, (specifyText, metadata) => {
        let stored: string;
        try {
          stored = JSON.stringify(
            parseRunRequestBytes(bytesOf(JSON.stringify({ ...minimal, specifyText, metadata })))
              .request,
          );
        } catch {
          return;
        }
        expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/i);
      }),
    );
    expect(refusalOfJson({ ...minimal, metadata: { "a\ud800": 1 } }).code).toBe("REQUEST_INVALID");
  });
});
