import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLine, TEXT_MAX_BYTES } from "../../../../src/adapters/agents/command/read-line.ts";

const json = (value: unknown) => readLine(JSON.stringify(value));

describe("readLine", () => {
  test("a line is a message, a blank one nothing", () => {
    expect(readLine("hello {world}")).toEqual([{ type: "message", text: "hello {world}" }]);
    expect(readLine(" \t")).toEqual([]);
  });

  test("JSON in the shape of an event is that event, with defaults filled in", () => {
    expect(json({ type: "usage", inputTokens: 5, outputTokens: 7 })).toEqual([
      { type: "usage", inputTokens: 5, cachedInputTokens: 0, outputTokens: 7, costUsd: null },
    ]);
    expect(json({ type: "tool", name: "sh", detail: "ls", exitCode: 1, more: 2 })).toEqual([
      { type: "tool", name: "sh", detail: "ls", exitCode: 1 },
    ]);
    expect(json({ type: "tool", name: "sh" })).toEqual([{ type: "tool", name: "sh", detail: "" }]);
    expect(json({ type: "file", path: "a.md", change: "added" })).toEqual([
      { type: "file", path: "a.md", change: "added" },
    ]);
    expect(json({ type: "warning", text: "w" })).toEqual([{ type: "warning", text: "w" }]);
    expect(json({ type: "message", text: "m" })).toEqual([{ type: "message", text: "m" }]);
  });

  test("JSON of another shape is a message with the line as it stands", () => {
    for (const value of [
      { type: "usage", inputTokens: -1, outputTokens: 0 },
      { type: "usage", inputTokens: "5", outputTokens: 0 },
      { type: "other" },
      { text: "x" },
      {},
    ]) {
      expect(json(value)).toEqual([{ type: "message", text: JSON.stringify(value) }]);
    }
    expect(readLine("{not json")).toEqual([{ type: "message", text: "{not json" }]);
    expect(readLine("[1]")).toEqual([{ type: "message", text: "[1]" }]);
  });

  test("texts are cut at 16 kB of UTF-8, never within a character", () => {
    const units = fc.constantFrom("a", "é", "€", "😀");
    fc.assert(
      fc.property(units, fc.nat({ max: 5 }), (unit, before) => {
        const long = "b".repeat(before) + unit.repeat(20_000);
        for (const [event] of [readLine(long), json({ type: "warning", text: long })]) {
          const text = event !== undefined && "text" in event ? event.text : "";
          const bytes = Buffer.byteLength(text);
          expect(bytes).toBeLessThanOrEqual(TEXT_MAX_BYTES);
          expect(bytes).toBeGreaterThan(TEXT_MAX_BYTES - 4);
          expect(text.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});
