import type { JobListener } from "../../../ports/job-runtime.ts";
import { ByteTail } from "../../supervision/byte-tail.ts";
import { LineCutter } from "../../supervision/line-cutter.ts";
import type { Activity } from "../../supervision/pump.ts";
import { STDERR_TAIL_BYTES } from "../../supervision/stderr-tail.ts";
import { HeldTail } from "./held-tail.ts";
import { LineJoiner } from "./join-lines.ts";
import { parseTrailer, type Trailer } from "./trailer.ts";

const NEWLINE = 0x0a;
const ONE_NEWLINE = Buffer.from("\n");
const NOTHING = Buffer.alloc(0);

/**
 * What a job has said, told to its listener byte for byte as the agent wrote it.
 *
 * The container's streams have more than that at their end: a newline where the agent's last line had
 * none (the engine's log keeps whole lines), then the entry program's own lines. Its last one, the
 * trailer, says how many bytes are the agent's. Until it is known, lines that look like the entry
 * program's are kept back, and so is one newline; the line before it is told all the same.
 *
 * Long lines were cut by the entry program, and are put together again ({@link LineJoiner}).
 *
 * The same log can be given twice, from the start: after a broken connection what was taken already
 * is passed over.
 */
export class JobOutput {
  readonly #listener: JobListener;
  readonly #activity: Activity;
  readonly #lines: LineCutter;
  readonly #stderrTail = new ByteTail(STDERR_TAIL_BYTES);
  readonly #streams = { stdout: new AgentStream(), stderr: new AgentStream() };

  constructor(listener: JobListener, activity: Activity) {
    this.#listener = listener;
    this.#activity = activity;
    this.#lines = new LineCutter(listener.onLine);
  }

  get bytes(): number {
    return this.#streams.stdout.taken + this.#streams.stderr.taken;
  }

  /** The log is given from its start again. */
  restart(): void {
    this.#streams.stdout.restart();
    this.#streams.stderr.restart();
  }

  /** @throws what the listener throws */
  async take(stdout: Buffer, stderr: Buffer): Promise<void> {
    await this.#tellStdout(this.#streams.stdout.take(stdout));
    await this.#tellStderr(this.#streams.stderr.take(stderr));
  }

  /** The trailer, when all that it counts has come. */
  trailer(): Trailer | undefined {
    const found = findTrailer(this.#streams.stdout);
    const isWhole =
      found !== undefined &&
      this.#streams.stdout.received >= found.stdoutBytes &&
      this.#streams.stderr.received >= found.stderrBytes;
    return isWhole ? found : undefined;
  }

  /** Tells what was kept back and is the agent's. Without a trailer that is everything. */
  async end(trailer: Trailer | undefined): Promise<void> {
    await this.#tellStdout(this.#streams.stdout.end(trailer?.stdoutBytes));
    await this.#tellStderr(this.#streams.stderr.end(trailer?.stderrBytes));
    this.#lines.end();
  }

  stderrTail(): string {
    return this.#stderrTail.text();
  }

  async #tellStdout({ told, lines }: Told): Promise<void> {
    if (told.length > 0) {
      await this.#activity.hear(() => this.#listener.onStdout(told));
    }
    this.#lines.push(lines);
  }

  async #tellStderr({ told }: Told): Promise<void> {
    if (told.length > 0) {
      this.#stderrTail.push(told);
      await this.#activity.hear(() => this.#listener.onStderr(told));
    }
  }
}

interface Told {
  /** The agent's bytes, one newline behind. */
  readonly told: Buffer;
  /** The same, up to date: for lines it does not matter whose the newline is. */
  readonly lines: Buffer;
}

/** One of the two streams. */
class AgentStream {
  readonly tail = new HeldTail();
  readonly #lines = new LineJoiner();
  #owesNewline = false;
  #taken = 0;
  #toSkip = 0;

  /** Bytes that came, none counted twice. */
  get taken(): number {
    return this.#taken;
  }

  /** Bytes that were let through or are kept back. */
  get received(): number {
    return this.tail.passed + this.tail.held.length;
  }

  restart(): void {
    this.#toSkip = this.#taken;
  }

  take(given: Buffer): Told {
    const skipped = Math.min(this.#toSkip, given.length);
    this.#toSkip -= skipped;
    const piece = given.subarray(skipped);
    this.#taken += piece.length;
    const joined = this.#lines.join(piece);
    return this.#tell(joined.length === 0 ? NOTHING : this.tail.push(joined));
  }

  /** @param bytes how many are the agent's, default all that came */
  end(bytes = this.received): Told {
    const { passed, held } = this.tail;
    const isAgents = bytes >= passed;
    const last = held.subarray(0, Math.max(0, bytes - passed));
    const owed = this.#owesNewline && isAgents ? ONE_NEWLINE : NOTHING;
    this.#owesNewline = false;
    return { told: Buffer.concat([owed, last]), lines: last };
  }

  #tell(through: Buffer): Told {
    if (through.length === 0) {
      return { told: NOTHING, lines: NOTHING };
    }
    const owed = this.#owesNewline ? ONE_NEWLINE : NOTHING;
    this.#owesNewline = through[through.length - 1] === NEWLINE;
    const rest = this.#owesNewline ? through.subarray(0, -1) : through;
    const told = owed.length === 0 ? rest : Buffer.concat([owed, rest]);
    return { told, lines: through };
  }
}

/**
 * The first of the lines kept back that counts exactly the bytes before it. Later ones are of a
 * container that was started again, and has refused.
 */
function findTrailer({ tail: { passed, held } }: AgentStream): Trailer | undefined {
  let at = 0;
  for (let end = held.indexOf(NEWLINE); end !== -1; end = held.indexOf(NEWLINE, at)) {
    const trailer = parseTrailer(held.subarray(at, end));
    const before = passed + at;
    if (
      trailer !== undefined &&
      (trailer.stdoutBytes === before || trailer.stdoutBytes === before - 1)
    ) {
      return trailer;
    }
    at = end + 1;
  }
  return undefined;
}
