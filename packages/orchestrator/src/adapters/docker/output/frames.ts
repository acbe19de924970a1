/** What came of one piece of a container's log. */
export interface Output {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Entries of the log that began in it. */
  readonly frames: number;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Takes apart the two streams of a container's log: frames of a stream number, three zeros, a length
 * and so many bytes, one for each entry of the log. Memory is that of one piece, whatever the length
 * of a frame.
 */
export class Frames {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #left = 0;

  push(piece: Buffer): Output {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let frames = 0;
    for (let at = 0; at < piece.length; ) {
      if (this.#left === 0) {
        const taken = piece.copy(this.#header, this.#headerBytes, at);
        this.#headerBytes += taken;
        at += taken;
        if (this.#headerBytes === HEADER_BYTES) {
          this.#headerBytes = 0;
          this.#left = this.#header.readUInt32BE(4);
          frames += 1;
        }
        continue;
      }
      const part = piece.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      (this.#header[0] === STDERR ? stderr : stdout).push(part);
    }
    return { stdout: joined(stdout), stderr: joined(stderr), frames };
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
