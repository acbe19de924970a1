/**
 * After so many bytes of a line a newline is put in. Shorter than what the engine's log driver cuts lines at (16 kB):
 * of those it loses the newline (Docker 20.10, `local`), and where one was cannot be found out afterwards.
 */
export const LINE_BYTES = 16_000;

const newline = Buffer.from("\n");

/**
 * Cuts long lines of a stream, so that whoever knows the length can put them together again: a newline after exactly
 * {@link LINE_BYTES} bytes of a line is one that was put in, any other is the stream's own. A line of just that length
 * ends with both.
 */
export class LineCuts {
  #column = 0;

  /**
   * @param {Buffer} piece
   * @returns {Buffer} the piece itself where nothing is cut
   */
  cut(piece) {
    /** @type {Buffer[]} */
    const parts = [];
    let done = 0;
    for (let at = 0; at < piece.length; ) {
      // Lines that end within a line's length from here are short enough: they are passed over together.
      const full = at + LINE_BYTES - this.#column;
      const last = piece.lastIndexOf(10, Math.min(full, piece.length) - 1);
      if (last >= at) {
        this.#column = 0;
        at = last + 1;
      } else if (full <= piece.length) {
        parts.push(piece.subarray(done, full), newline);
        this.#column = 0;
        done = full;
        at = full;
      } else {
        this.#column += piece.length - at;
        break;
      }
    }
    return parts.length === 0 ? piece : Buffer.concat([...parts, piece.subarray(done)]);
  }
}
