import { write } from "node:fs";
import { LineCuts } from "./cut-lines.mjs";
import { SecretMask } from "./secret-mask.mjs";

/**
 * One of the container's output streams, with the agent's bytes on it counted, secrets masked and long lines cut.
 *
 * Written by the thread pool and not through `process.stdout`, whose writes to a pipe hold up the whole program: the
 * attempt is watched, and signals are heard, also while nobody reads.
 */
export class CountedStream {
  /** The agent's bytes so far, as they are after the masking. */
  bytes = 0;
  /** A write is under way. */
  isHeldBack = false;
  #endsInLine = true;
  #cuts = new LineCuts();
  #mask = new SecretMask([]);
  #descriptor;

  /** @param {number} descriptor */
  constructor(descriptor) {
    this.#descriptor = descriptor;
  }

  /**
   * To be called before anything is copied.
   *
   * @param {string[]} secrets never appear on it
   */
  hide(secrets) {
    this.#mask = new SecretMask(secrets);
  }

  /**
   * Passes on what the agent writes until it ends or is cut. One piece at a time: the agent waits for the reader.
   *
   * @param {import("node:stream").Readable} from
   */
  async copy(from) {
    try {
      for await (const piece of from) {
        await this.#pass(this.#mask.push(piece));
      }
    } catch (error) {
      // Cut off by us after the agent's end.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ERR_STREAM_PREMATURE_CLOSE")
        throw error;
    }
    await this.#pass(this.#mask.end());
  }

  /** @param {Buffer} piece of the agent's */
  async #pass(piece) {
    if (piece.length === 0) return;
    await this.#write(this.#cuts.cut(piece));
    this.bytes += piece.length;
    this.#endsInLine = piece.at(-1) === 10;
  }

  /** Ends the agent's last line where it has not: the engine's log keeps whole lines. */
  async endLine() {
    if (!this.#endsInLine) await this.#write(Buffer.from("\n"));
    this.#endsInLine = true;
  }

  /**
   * A line of our own; it is not counted.
   *
   * @param {object} value
   */
  async writeLine(value) {
    await this.#write(Buffer.from(`${JSON.stringify(value)}\n`));
  }

  /** @param {Buffer} piece */
  async #write(piece) {
    this.isHeldBack = true;
    for (let offset = 0; offset < piece.length; ) offset += await this.#writeSome(piece, offset);
    this.isHeldBack = false;
  }

  /**
   * @param {Buffer} piece
   * @param {number} offset
   * @returns {Promise<number>}
   */
  #writeSome(piece, offset) {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, piece, offset, piece.length - offset, null, (error, written) => {
        if (error === null) resolve(written);
        // Whoever gave us the stream has made it non-blocking: look again soon.
        else if (error.code === "EAGAIN") setTimeout(resolve, 5, 0);
        else reject(error);
      });
    });
  }
}
