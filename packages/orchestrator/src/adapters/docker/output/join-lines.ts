const NEWLINE = 0x0a;

/** The entry program puts a newline into a line after so many bytes (docs/job-image.md). */
export const LINE_BYTES = 16_000;

/**
 * Puts lines together again that the entry program of a job has cut, since the engine's log does not
 * keep longer ones byte for byte: it cuts them at 16 kB, and the driver `local` of Docker 20.10 then
 * loses their newline (tried: 16,384 bytes and a newline come back as 16,384 bytes).
 *
 * A newline after exactly {@link LINE_BYTES} bytes of a line was put in; any other is the agent's.
 */
export class LineJoiner {
  #column = 0;

  /** @returns the piece itself where nothing was put in */
  join(piece: Buffer): Buffer {
    const parts: Buffer[] = [];
    let done = 0;
    for (let at = 0; at < piece.length; ) {
      // Lines that end within a cut line's length from here were not cut: they are passed over together.
      const full = at + LINE_BYTES - this.#column;
      const last = full > at ? piece.lastIndexOf(NEWLINE, Math.min(full, piece.length) - 1) : -1;
      const end = last >= at ? last : piece.indexOf(NEWLINE, Math.max(at, full));
      if (end === -1) {
        this.#column += piece.length - at;
        break;
      }
      if (end === full) {
        parts.push(piece.subarray(done, end));
        done = end + 1;
      }
      this.#column = 0;
      at = end + 1;
    }
    return parts.length === 0 ? piece : Buffer.concat([...parts, piece.subarray(done)]);
  }
}
