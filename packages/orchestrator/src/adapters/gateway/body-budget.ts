const MEBIBYTE = 1024 * 1024;

/** Of all calls of one attempt: one of the largest, and some of the usual size. */
const MAX_OF_OWNER_BYTES = 80 * MEBIBYTE;
/** Of all attempts: what is made of a body while it is read takes several times its size. */
const MAX_BYTES = 192 * MEBIBYTE;

/** How much of requests is held in memory at a time, so that no agent takes the gateway from the others. */
export interface BodyBudget {
  /** @param owner the same object for all calls of an attempt */
  readonly hold: (owner: object) => HeldBytes;
}

/** What one call holds; disposing it gives that back. */
export interface HeldBytes extends Disposable {
  /** @returns false when that is more than there is: nothing is taken then */
  readonly take: (bytes: number) => boolean;
}

export function bodyBudget({
  maxBytes = MAX_BYTES,
  maxOfOwnerBytes = MAX_OF_OWNER_BYTES,
} = {}): BodyBudget {
  const ofOwners = new WeakMap<object, number>();
  let heldBytes = 0;
  return {
    hold(owner) {
      let mine = 0;
      const add = (bytes: number): void => {
        mine += bytes;
        heldBytes += bytes;
        ofOwners.set(owner, (ofOwners.get(owner) ?? 0) + bytes);
      };
      return {
        take(bytes) {
          const isOver =
            heldBytes + bytes > maxBytes || (ofOwners.get(owner) ?? 0) + bytes > maxOfOwnerBytes;
          if (!isOver) {
            add(bytes);
          }
          return !isOver;
        },
        [Symbol.dispose]: () => add(-mine),
      };
    },
  };
}
