/** Pseudo-random choices that a seed repeats exactly, on every machine. Not for secrets. */
export interface SeededRandom {
  readonly seed: number;
  /** A whole number from 0 to `below - 1`. */
  readonly int: (below: number) => number;
  /** One of the list; `from` must not be empty. */
  readonly pick: <T>(from: readonly T[]) => T;
  /** True once in `times` on average. */
  readonly oneIn: (times: number) => boolean;
  /** The same items in another order. */
  readonly shuffle: <T>(items: readonly T[]) => readonly T[];
}

/** Mulberry32: 32 bits of state, more than enough to choose test cases with. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    seed,
    int,
    pick: (from) => from[int(from.length)] as (typeof from)[number],
    oneIn: (times) => int(times) === 0,
    shuffle: (items) => {
      const left = [...items];
      return items.flatMap(() => left.splice(int(left.length), 1));
    },
  };
}

/**
 * The seed of a test: `SPECKIT_TEST_SEED` where it is set, else a new one. Printed, so that a failure
 * can be repeated.
 */
export function testSeed(what: string): number {
  const given = process.env.SPECKIT_TEST_SEED;
  const seed =
    given === undefined || given === "" ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  if (!Number.isInteger(seed)) {
    throw new Error(`SPECKIT_TEST_SEED: expected a whole number, got ${given}`);
  }
  process.stdout.write(`${what}: SPECKIT_TEST_SEED=${seed}\n`);
  return seed;
}
