import { describe, expect, test } from "vitest";
import { resetOfAnswer, resetOfStreamedError } from "../../../src/adapters/gateway/reset-time.ts";

const NOW = new Date("2026-11-25T07:00:00Z");
const seconds = (value: string) => Date.parse(value) / 1_000;

describe("the time until a limit ends is read", () => {
  test.each<[string, Record<string, string>, unknown, number | null]>([
    ["nowhere", {}, {}, null],
    ["from retry-after in seconds", { "retry-after": "20" }, {}, 20_000],
    ["from retry-after in parts of a second", { "retry-after": "0.5" }, {}, 500],
    ["from retry-after as a date", { "retry-after": "Wed, 25 Nov 2026 07:01:00 GMT" }, {}, 60_000],
    [
      "from a date, by the provider's own clock",
      { "retry-after": "Wed, 25 Nov 2026 09:01:00 GMT", date: "Wed, 25 Nov 2026 09:00:00 GMT" },
      {},
      60_000,
    ],
    ["from retry-after-ms first", { "retry-after-ms": "1500", "retry-after": "2" }, {}, 1_500],
    ["as none when it has passed", { "retry-after": "Wed, 25 Nov 2026 06:00:00 GMT" }, {}, 0],
    ["from resets_in_seconds", {}, { resets_in_seconds: 90 }, 90_000],
    ["from resets_at in seconds", {}, { resets_at: seconds("2026-11-25T08:00:00Z") }, 3_600_000],
    [
      "from resets_at in milliseconds",
      {},
      { resets_at: Date.parse("2026-11-25T08:00:00Z") },
      3_600_000,
    ],
    ["from resets_at as text", {}, { resets_at: "2026-11-25T08:00:00Z" }, 3_600_000],
    [
      "from the message",
      {},
      { message: "Limit reached. Please try again in 1.5s. Visit x" },
      1_500,
    ],
    ["from a message in ms", {}, { message: "Please try again in 20ms." }, 20],
    ["from a message in parts", {}, { message: "Please try again in 6m3.5s." }, 363_500],
    ["from a message in hours", {}, { message: "Please try again in 1h30m0s" }, 5_400_000],
    ["from a message in words", {}, { message: "Please retry after 26 seconds." }, 26_000],
    [
      "from the limit that is used up",
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "6m0s",
      },
      {},
      12,
    ],
    [
      "from the longest when none says",
      { "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "1m" },
      {},
      60_000,
    ],
    [
      "from Anthropic's limit that is used up, told as a time of day",
      {
        "anthropic-ratelimit-requests-remaining": "9",
        "anthropic-ratelimit-requests-reset": "2026-11-25T07:00:01Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-25T07:00:42Z",
      },
      {},
      42_000,
    ],
    [
      "from Gemini's RetryInfo",
      {},
      {
        message: "Please retry in 50s.",
        details: [
          { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [] },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" },
        ],
      },
      34_500,
    ],
    ["from Gemini's message without it", {}, { message: "Please retry in 50.25s." }, 50_250],
    [
      "not from nonsense",
      { "retry-after": "soon", "x-ratelimit-reset-tokens": "-" },
      { resets_at: "?" },
      null,
    ],
    ["not from another time of day", {}, { message: "try again at 9:43 AM" }, null],
    ["not from what is no object", {}, "text", null],
  ])("%s", (_, headers, error, expected) => {
    expect(resetOfAnswer(headers, error, NOW)).toBe(expected);
  });

  test("from an error inside a stream", () => {
    expect(resetOfStreamedError({ message: "try again in 1.5s" }, NOW)).toBe(1_500);
    expect(resetOfStreamedError(undefined, NOW)).toBeNull();
  });
});
