import { createPublicKey, type KeyObject } from "node:crypto";
import type { AttemptAuthority, LiveAttempt } from "../../ports/attempt-authority.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";

/** How long an answer of the authority holds, and how often it is asked again. */
export const RECHECK_MS = 15_000;
/** How long the last good answer holds while none comes. */
const FAIL_CLOSED_MS = 45_000;
/** An attempt that nobody has asked for in so long is forgotten; its next call is looked up anew. */
const FORGET_MS = 600_000;
/** Names that may wait for one question: whoever makes up more hears that nobody knows. */
const MAX_WAITING = 1_000;

/** A live attempt, as long as it is known to be one. */
export interface WatchedAttempt {
  readonly name: JobName;
  readonly key: KeyObject;
  /** By its calls that were recorded before it was first seen here. */
  readonly spent: LiveAttempt["spent"];
  /** Aborts when it is no longer known to be live. */
  readonly closed: () => AbortSignal;
  /** Its provider has sent something. */
  readonly heard: () => void;
  /** Calls on their way. */
  readonly open: Set<Promise<void>>;
  /** Ways out that are being opened, or are open. */
  readonly tunnels: Set<Promise<void>>;
}

/** Knows which attempts are live. Disposing it ends the watch and cuts every call. */
export interface AttemptWatch extends Disposable {
  /** `unsure`: nobody can say now. Never rejects. */
  readonly find: (name: JobName) => Promise<WatchedAttempt | "not_live" | "unsure">;
  /** How long no attempt was known to be live. */
  readonly idleForMs: () => number;
  /** The authority has not answered the last question. */
  readonly isAway: () => boolean;
  /** How long ago the last question was put that it has answered; infinite: none was. */
  readonly answeredAgoMs: () => number;
}

export interface AttemptWatchOptions {
  readonly authority: Pick<AttemptAuthority, "liveAttempts">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default 15 s. */
  readonly recheckMs?: number;
  /** Default 45 s. */
  readonly failClosedMs?: number;
}

/** What the watch knows of an attempt. */
interface Entry extends WatchedAttempt {
  closing: AbortController;
  /** When the question was put that was last answered with it. */
  confirmedMs: number;
  usedMs: number;
  /** When it was last heard, and of when that was told. */
  heardMs: number;
  toldMs: number;
}

/**
 * Keeps the authority's word on attempts for as long as it may be kept.
 *
 * States of an attempt here:
 *
 *   unknown      no token of it has come. The first one puts a question; what is not answered with
 *                it stays unknown, so that made-up names take no memory.
 *   confirmed    the authority has named it as live at `confirmedMs`, the time at which it was asked,
 *                not that of the answer. Calls are let in for `recheckMs` without another question.
 *   doubtful     older than that. A call waits for the next question; while the authority is away it
 *                is let in by the old word, until `failClosedMs`.
 *   lapsed       older than `failClosedMs`: open calls are cut, new ones are told that nobody knows.
 *                The next good answer makes it confirmed again, its account kept.
 *   gone         asked for, and not named: cut, and unknown again.
 *
 * One question is on its way at a time, and names all attempts that are known or asked for: many
 * agents, or one that makes up tokens, cost no more of the store than one. It is put when a token
 * needs it, and every `recheckMs` for all that are known.
 *
 * What happens when it is cut:
 *
 * - The authority answers late or not at all (its own time-out is 5 s): that is "away". Nobody waits
 *   for a second answer; the watch goes on asking, and its clock lets words lapse meanwhile.
 * - This process is frozen for longer than `failClosedMs`: the first thing the watch does is to cut,
 *   since an answer of before says nothing about now.
 * - It dies: with it go the connections. Its successor knows nothing and asks.
 *
 * The race that is left: an attempt that ends right after a question may call until the next one is
 * answered, at most `recheckMs` and the time of an answer later; while the store is away `failClosedMs`.
 */
export function watchAttempts(options: AttemptWatchOptions): AttemptWatch {
  const { authority, clock, logger } = options;
  const { recheckMs = RECHECK_MS, failClosedMs = FAIL_CLOSED_MS } = options;
  const known = new Map<string, Entry>();
  const over = new AbortController();
  let waiting = new Map<string, JobName>();
  let asking: Promise<boolean> | undefined;
  let next: Promise<boolean> | undefined;
  let isAway = false;
  let askedMs = Number.NEGATIVE_INFINITY;
  let answeredMs = Number.NEGATIVE_INFINITY;
  let lastLiveMs = clock.monotonicMs();

  const isConfirmed = (entry: Entry, forMs: number): boolean =>
    clock.monotonicMs() - entry.confirmedMs < forMs;

  /** Joins the next question. @returns whether it was answered */
  const question = (name?: JobName): Promise<boolean> => {
    if (name !== undefined) {
      waiting.set(keyOf(name), name);
    }
    next ??= (asking ?? Promise.resolve(true)).then(() => {
      next = undefined;
      asking = ask();
      return asking;
    });
    return next;
  };

  const ask = async (): Promise<boolean> => {
    const asked = waiting;
    waiting = new Map();
    for (const [key, entry] of known) {
      asked.set(key, entry.name);
    }
    if (asked.size === 0) {
      return true;
    }
    askedMs = clock.monotonicMs();
    const atMs = askedMs;
    const heard = new Map([...known].map(([key, { heardMs }]) => [key, heardMs]));
    let live: readonly LiveAttempt[];
    try {
      live = await authority.liveAttempts(
        [...asked].map(([key, name]) => withHeard(name, known.get(key), atMs)),
      );
    } catch (error) {
      if (!isAway) {
        logger.warn("nobody can say which attempts are live", { error: String(error) });
      }
      isAway = true;
      return false;
    }
    if (isAway) {
      logger.info("which attempts are live is known again");
    }
    isAway = false;
    answeredMs = atMs;
    for (const attempt of live) {
      const key = keyOf(attempt);
      confirm(key, attempt, atMs);
      const entry = known.get(key);
      if (entry !== undefined) {
        entry.toldMs = heard.get(key) ?? entry.toldMs;
      }
      asked.delete(key);
    }
    for (const key of asked.keys()) {
      const entry = known.get(key);
      if (entry !== undefined) {
        known.delete(key);
        cut(entry, "it is no longer live");
      }
    }
    return true;
  };

  const confirm = (key: string, attempt: LiveAttempt, atMs: number): void => {
    const entry = known.get(key) ?? newEntry(attempt, clock);
    if (entry === undefined) {
      logger.error("the attempt's key is none", { ...nameOf(attempt) });
      return;
    }
    entry.confirmedMs = atMs;
    if (entry.closing.signal.aborted) {
      entry.closing = new AbortController();
    }
    known.set(key, entry);
  };

  const cut = (entry: Entry, why: string): void => {
    if (entry.closing.signal.aborted) {
      return;
    }
    logger.info("attempt ends here", { ...entry.name, why, openCalls: entry.open.size });
    entry.closing.abort();
  };

  const look = (): void => {
    const nowMs = clock.monotonicMs();
    let isDue = false;
    for (const [key, entry] of known) {
      if (!isConfirmed(entry, failClosedMs)) {
        cut(entry, "nobody could say for too long whether it is live");
      }
      if (entry.open.size + entry.tunnels.size > 0) {
        entry.usedMs = nowMs;
      } else if (nowMs - entry.usedMs >= FORGET_MS) {
        known.delete(key);
      }
      isDue ||= !isConfirmed(entry, recheckMs);
    }
    if (known.size > 0) {
      lastLiveMs = nowMs;
    }
    // One that was not answered is put again sooner, but not at once.
    if (isDue && nowMs - askedMs >= recheckMs / 3) {
      void question();
    }
  };

  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      look();
      await clock.sleep(recheckMs / 15, over.signal);
    }
  };
  void watch();

  return {
    async find(name) {
      const before = known.get(keyOf(name));
      if (before !== undefined) {
        before.usedMs = clock.monotonicMs();
        // While the authority is away nobody gains by waiting for it.
        if (isConfirmed(before, isAway ? failClosedMs : recheckMs)) {
          return before;
        }
      }
      const isAnswered = waiting.size < MAX_WAITING && (await question(name));
      const entry = known.get(keyOf(name));
      if (entry !== undefined && isConfirmed(entry, failClosedMs)) {
        return entry;
      }
      return isAnswered ? "not_live" : "unsure";
    },
    idleForMs: () => (known.size > 0 ? 0 : clock.monotonicMs() - lastLiveMs),
    isAway: () => isAway,
    answeredAgoMs: () => clock.monotonicMs() - answeredMs,
    [Symbol.dispose]() {
      over.abort();
      for (const entry of known.values()) {
        entry.closing.abort();
      }
      known.clear();
    },
  };
}

function newEntry(attempt: LiveAttempt, clock: Clock): Entry | undefined {
  const key = publicKeyOf(attempt.tokenKey);
  if (key === undefined) {
    return undefined;
  }
  const entry: Entry = {
    name: nameOf(attempt),
    key,
    spent: attempt.spent,
    closing: new AbortController(),
    confirmedMs: Number.NEGATIVE_INFINITY,
    usedMs: clock.monotonicMs(),
    heardMs: Number.NEGATIVE_INFINITY,
    toldMs: Number.NEGATIVE_INFINITY,
    open: new Set(),
    tunnels: new Set(),
    closed: () => entry.closing.signal,
    heard: () => {
      entry.heardMs = clock.monotonicMs();
    },
  };
  return entry;
}

/** @returns undefined for what is no Ed25519 key */
function publicKeyOf(tokenKey: string): KeyObject | undefined {
  try {
    const key = createPublicKey({
      key: Buffer.from(tokenKey, "base64"),
      format: "der",
      type: "spki",
    });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

function withHeard(
  name: JobName,
  entry: Entry | undefined,
  nowMs: number,
): JobName & { readonly heardAgoMs?: number } {
  return entry === undefined || entry.heardMs <= entry.toldMs
    ? name
    : { ...name, heardAgoMs: Math.round(nowMs - entry.heardMs) };
}

function nameOf({ runId, phase, attempt }: JobName): JobName {
  return { runId, phase, attempt };
}

function keyOf({ runId, phase, attempt }: JobName): string {
  return `${runId}/${phase}/${attempt}`;
}
