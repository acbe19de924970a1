/** Chance from a seed: the same seed always gives the same numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  readonly next: () => number;
  /** A whole number from `low` to `high`, both included. */
  readonly between: (low: number, high: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
}

/** @param seed any numbers and texts; together they name a stream of its own */
export function randomFrom(...seed: readonly (number | string)[]): Random {
  let state = hash(seed.join("/"));
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) {
        throw new Error("There is nothing to pick from");
      }
      return item;
    },
  };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let ix = 0; ix < text.length; ix += 1) {
    value = Math.imul(value ^ text.charCodeAt(ix), 0x01000193);
  }
  return value ^ (value >>> 13);
}
