/** Keeps the last `maxBytes` of a stream of bytes and nothing else. */
export class ByteTail {
  readonly #maxBytes: number;
  #tail: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(piece: Uint8Array): void {
    const last = piece.subarray(Math.max(0, piece.length - this.#maxBytes));
    const kept = this.#tail.subarray(Math.max(0, this.#tail.length + last.length - this.#maxBytes));
    this.#tail = Buffer.concat([kept, last]);
  }

  /** As text: bytes that are not UTF-8 become U+FFFD, a character cut at the front is left out. */
  text(): string {
    let from = 0;
    while (from < 3 && ((this.#tail[from] ?? 0) & 0xc0) === 0x80) {
      from += 1;
    }
    const isWhole = this.#tail.length < this.#maxBytes;
    return this.#tail.subarray(isWhole ? 0 : from).toString("utf8");
  }
}
