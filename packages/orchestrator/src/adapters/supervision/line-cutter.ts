import { ByteTail } from "./byte-tail.ts";

/** Longest line told to a listener whole. */
export const LINE_MAX_BYTES = 1024 * 1024;
/** Of a longer one, what is told of its end. */
export const LINE_TAIL_BYTES = 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const FIRST_CAPACITY_BYTES = 4096;

/**
 * Cuts bytes into lines of text. Memory is bounded by the longest line told, however the bytes
 * arrive: one buffer, doubled up to `maxBytes`. Bytes that are not UTF-8 become U+FFFD; NULs stay.
 */
export class LineCutter {
  readonly #onLine: (line: string, tail?: string) => void;
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #line = Buffer.allocUnsafe(FIRST_CAPACITY_BYTES);
  #length = 0;
  /** Of a line that was cut. */
  #tail: ByteTail | undefined;

  /** @param onLine gets the end of a line that was cut as `tail` */
  constructor(onLine: (line: string, tail?: string) => void, maxBytes: number = LINE_MAX_BYTES) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  push(piece: Uint8Array): void {
    let from = 0;
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, from)) {
      this.#keep(piece.subarray(from, at));
      this.#tell();
      from = at + 1;
    }
    this.#keep(piece.subarray(from));
  }

  /** Tells a last line that had no end. */
  end(): void {
    if (this.#length > 0) {
      this.#tell();
    }
  }

  #keep(part: Uint8Array): void {
    const room = this.#maxBytes - this.#length;
    const kept = part.length > room ? part.subarray(0, room) : part;
    if (kept.length < part.length) {
      this.#tail ??= new ByteTail(LINE_TAIL_BYTES);
      this.#tail.push(part.subarray(kept.length));
    }
    const needed = this.#length + kept.length;
    if (needed > this.#line.length) {
      const larger = Buffer.allocUnsafe(
        Math.min(this.#maxBytes, Math.max(needed, this.#line.length * 2)),
      );
      this.#line.copy(larger, 0, 0, this.#length);
      this.#line = larger;
    }
    this.#line.set(kept, this.#length);
    this.#length = needed;
  }

  #tell(): void {
    let end = this.#length;
    const tail = this.#tail;
    if (tail !== undefined) {
      end = characterBoundary(this.#line, end);
    } else if (end > 0 && this.#line[end - 1] === CARRIAGE_RETURN) {
      end -= 1;
    }
    const text = this.#decoder.decode(this.#line.subarray(0, end));
    this.#length = 0;
    this.#tail = undefined;
    if (tail === undefined) {
      this.#onLine(text);
    } else {
      this.#onLine(text, tail.text());
    }
  }
}

/** `end`, moved back to before a character that was cut in two (at most three bytes). */
export function characterBoundary(bytes: Uint8Array, end: number): number {
  let at = end;
  while (at > 0 && end - at < 3 && ((bytes[at - 1] ?? 0) & 0xc0) === 0x80) {
    at -= 1;
  }
  const lead = bytes[at - 1] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return length > 1 && at - 1 + length > end ? at - 1 : end;
}
