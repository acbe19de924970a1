import { fieldsOf, listOf } from "./sighting.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Seconds since 1970 reach this in the year 5138; a larger number is in milliseconds. */
const LARGEST_SECONDS = 1e11;

/**
 * How long until the limit ends that an error answer speaks of, by the first of its words that says
 * so: `retry-after-ms`, `retry-after` (seconds or a date), the body, the headers about limits. Providers
 * say it in words of their own, which do not contradict each other: all are known here. Dates are read against the answer's own `date`, since two clocks may disagree.
 *
 * @param error the body's error object, if it has one
 * @returns milliseconds, 0 or more; null when nobody says
 */
export function resetOfAnswer(headers: Headers, error: unknown, now: Date): number | null {
  const there = new Date(one(headers, "date") ?? Number.NaN);
  const nowMs = Number.isNaN(there.getTime()) ? now.getTime() : there.getTime();
  const found =
    number(one(headers, "retry-after-ms")) ??
    retryAfter(one(headers, "retry-after"), nowMs) ??
    resetOfError(error, nowMs) ??
    resetOfLimits(headers, nowMs);
  return found === undefined ? null : notBefore(found);
}

/** The same for an error that came inside a stream, without headers of its own. */
export function resetOfStreamedError(error: unknown, now: Date): number | null {
  const found = resetOfError(error, now.getTime());
  return found === undefined ? null : notBefore(found);
}

function resetOfError(error: unknown, nowMs: number): number | undefined {
  if (typeof error !== "object" || error === null) {
    return undefined;
  }
  const {
    resets_in_seconds: inSeconds,
    resets_at: at,
    details,
    message,
  } = error as Record<string, unknown>;
  if (typeof inSeconds === "number" && Number.isFinite(inSeconds)) {
    return inSeconds * 1_000;
  }
  if (typeof at === "number" && Number.isFinite(at)) {
    return (at > LARGEST_SECONDS ? at : at * 1_000) - nowMs;
  }
  const dated = typeof at === "string" ? Date.parse(at) : Number.NaN;
  if (!Number.isNaN(dated)) {
    return dated - nowMs;
  }
  const delay = listOf(details)
    .map((detail) => fieldsOf(detail).retryDelay)
    .find((told) => typeof told === "string");
  return (
    (typeof delay === "string" ? duration(delay) : undefined) ??
    (typeof message === "string" ? resetOfText(message.slice(0, 4_096)) : undefined)
  );
}

/** "Please try again in 1m3.5s.", "retry after 26 seconds". */
function resetOfText(text: string): number | undefined {
  const told = /(?:(?:try again|retry) in|retry after) ((?:\d+(?:\.\d+)? ?[a-z]+ ?){1,4})/i.exec(
    text,
  )?.[1];
  return told === undefined ? undefined : duration(told);
}

/** Each limit's headers: when it ends, and what is left of it. */
const LIMITS = [
  ...["requests", "tokens"].map((kind) => ({
    reset: `x-ratelimit-reset-${kind}`,
    remaining: `x-ratelimit-remaining-${kind}`,
  })),
  ...["requests", "tokens", "input-tokens", "output-tokens"].map((kind) => ({
    reset: `anthropic-ratelimit-${kind}-reset`,
    remaining: `anthropic-ratelimit-${kind}-remaining`,
  })),
];

/** Of the limits that are used up; of all of them when the headers do not say which. */
function resetOfLimits(headers: Headers, nowMs: number): number | undefined {
  const limits = LIMITS.flatMap(({ reset, remaining }) => {
    const resetMs = durationOrDate(one(headers, reset) ?? "", nowMs);
    const isUsedUp = number(one(headers, remaining)) === 0;
    return resetMs === undefined ? [] : [{ resetMs, isUsedUp }];
  });
  const usedUp = limits.filter((limit) => limit.isUsedUp);
  const asked = usedUp.length > 0 ? usedUp : limits;
  return asked.length === 0 ? undefined : Math.max(...asked.map((limit) => limit.resetMs));
}

function durationOrDate(text: string, nowMs: number): number | undefined {
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? duration(text) : at - nowMs;
}

function retryAfter(value: string | undefined, nowMs: number): number | undefined {
  const seconds = number(value);
  if (seconds !== undefined) {
    return seconds * 1_000;
  }
  const at = Date.parse(value ?? "");
  return Number.isNaN(at) ? undefined : at - nowMs;
}

/** `6m0s`, `59.7s`, `20ms`, `2 minutes`; a bare number is in seconds. */
function duration(text: string): number | undefined {
  const bare = number(text);
  if (bare !== undefined) {
    return bare * 1_000;
  }
  let sum: number | undefined;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/gi)) {
    const ms = unitMs(unit);
    if (ms === undefined) {
      break;
    }
    sum = (sum ?? 0) + Number(amount) * ms;
  }
  return sum;
}

function unitMs(unit: string): number | undefined {
  const name = unit.toLowerCase();
  return UNIT_MS[name] ?? (/^(sec|min|hour|day)/.test(name) ? UNIT_MS[name.charAt(0)] : undefined);
}

function number(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

function one(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

function notBefore(ms: number): number {
  return Math.max(0, Math.round(ms));
}
