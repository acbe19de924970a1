/** Fields every log line of a run carries, under these names. */
export interface LogFields {
  readonly runId?: string;
  readonly repository?: string;
  readonly phase?: string;
  readonly attempt?: number;
  readonly branch?: string;
  readonly containerId?: string | undefined;
  readonly [field: string]: unknown;
}

/** Structured log. Never throws, never blocks the caller; secrets are redacted by value in the sink. */
export interface Logger {
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
  /** A logger whose lines all carry these fields too. */
  readonly with: (fields: LogFields) => Logger;
  /**
   * From now on no line holds this value, of this logger and of all that came from the same one: for
   * secrets that are made while the program runs. A bounded number of them, the newest.
   */
  readonly hide?: (secret: string) => void;
}
