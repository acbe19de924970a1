/** What the entry program of a job's container says in its last line on stdout. */
export type Trailer = {
  /** Bytes on both outputs that are the agent's own: what lies behind them is not. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
} & (
  | { readonly kind: "exit"; readonly exitCode: number | null; readonly signal: string | null }
  | {
      readonly kind: "refused";
      /** Why the agent was not started, or not left to go on. */
      readonly code: string;
      readonly detail: string;
      /** Of a system call that failed, for example `ENOENT`. */
      readonly errno: string | undefined;
    }
);

/** How every line of the entry program begins. */
export const OWN_LINE = Buffer.from('{"speckit":"');

/**
 * The trailer in a line, undefined when it is none.
 *
 * The agent is no stranger to the entry program's streams: it can print such a line, or end the entry
 * program and write in its name. What it can win is to say about its own exit what it could have made
 * true by exiting so.
 */
export function parseTrailer(line: Buffer): Trailer | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = Object(JSON.parse(line.toString("utf8")));
  } catch {
    return undefined;
  }
  const counts = { stdoutBytes: count(fields.stdoutBytes), stderrBytes: count(fields.stderrBytes) };
  if (fields.v !== 1) {
    return undefined;
  }
  if (fields.speckit === "exit") {
    const { exitCode, signal } = fields;
    return {
      ...counts,
      kind: "exit",
      exitCode: typeof exitCode === "number" ? exitCode : null,
      signal: typeof signal === "string" ? signal.slice(0, 20) : null,
    };
  }
  if (fields.speckit === "refused") {
    const { code, detail, errno } = fields;
    return {
      ...counts,
      kind: "refused",
      code: String(code),
      detail: typeof detail === "string" ? detail.replaceAll(/\s+/g, " ").slice(0, 300) : "",
      errno: typeof errno === "string" ? errno : undefined,
    };
  }
  return undefined;
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
