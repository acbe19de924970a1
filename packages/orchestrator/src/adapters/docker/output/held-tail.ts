import { OWN_LINE } from "./trailer.ts";

const NEWLINE = 0x0a;
/** Lines of the entry program are shorter, and there are few of them. */
const HELD_MAX_BYTES = 8 * 1024;

/**
 * Keeps back the end of a stream for as long as it may be what the entry program has added: lines
 * that begin like its own, whole or not. Anything else is let through at once, so that an agent's
 * last word is not held up until it says the next.
 */
export class HeldTail {
  #held: Buffer = Buffer.alloc(0);
  #isAtLineStart = true;
  #passed = 0;

  /** Bytes that were let through. */
  get passed(): number {
    return this.#passed;
  }

  /** What is kept back now. */
  get held(): Buffer {
    return this.#held;
  }

  /** @returns what is let through */
  push(piece: Buffer): Buffer {
    const data = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    const from = this.#ownLinesFrom(data);
    const through = data.subarray(0, from);
    this.#held = Buffer.from(data.subarray(from));
    if (through.length > 0) {
      this.#isAtLineStart = through[through.length - 1] === NEWLINE;
      this.#passed += through.length;
    }
    return through;
  }

  /** Where the lines begin that may be the entry program's, at the end of the data. */
  #ownLinesFrom(data: Buffer): number {
    let from = data.length;
    while (from > 0) {
      // The newline that ends the line before, if it is here.
      const search = data[from - 1] === NEWLINE ? from - 2 : from - 1;
      const start = search < 0 ? 0 : data.lastIndexOf(NEWLINE, search) + 1;
      const isLine = start > 0 || this.#isAtLineStart;
      if (!isLine || data.length - start > HELD_MAX_BYTES || !isOwn(data.subarray(start, from))) {
        break;
      }
      from = start;
    }
    return from;
  }
}

/** A line that begins as the entry program's do; of one that has just begun, as much as there is. */
function isOwn(line: Buffer): boolean {
  const length = Math.min(line.length, OWN_LINE.length);
  return line.subarray(0, length).equals(OWN_LINE.subarray(0, length));
}
