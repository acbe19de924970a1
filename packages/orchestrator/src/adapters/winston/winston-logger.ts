import winston from "winston";
import type { LogFields, Logger } from "../../ports/logger.ts";
import { SecretRegistry } from "./secret-registry.ts";

export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface WinstonLoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object per line; `text`: for people at a terminal. */
  readonly format: "json" | "text";
  /** Values that must not appear in any line, besides those that are hidden later. */
  readonly secrets: readonly string[];
}

/** Log lines on stderr: stdout belongs to what a command prints as its result. */
export function winstonLogger(options: WinstonLoggerOptions): Logger {
  const secrets = new SecretRegistry(options.secrets);
  const { combine, timestamp, json, printf } = winston.format;
  const text = printf(({ level, message, timestamp: time, ...fields }) => {
    const rest = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(
        ([key, value]) =>
          `${key}=${typeof value === "string" ? value : JSON.stringify(value, withErrors)}`,
      );
    return [String(time), level.padEnd(5), String(message), ...rest].join(" ");
  });
  const redacted = winston.format((info) => {
    const line = info[MESSAGE];
    info[MESSAGE] = typeof line === "string" ? secrets.mask(line) : line;
    return info;
  });
  const root = winston.createLogger({
    level: options.level,
    format: combine(
      timestamp(),
      options.format === "json" ? json({ replacer: withErrors }) : text,
      redacted(),
    ),
    transports: [new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
  return wrap(root, secrets);
}

/** An error has no fields of its own that JSON would show. */
function withErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) {
    return value;
  }
  const { name, message, stack, cause } = value;
  return { name, message, ...("code" in value ? { code: value.code } : {}), stack, cause };
}

/** Where winston keeps the finished line. */
const MESSAGE = Symbol.for("message");

function wrap(inner: winston.Logger, secrets: SecretRegistry): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      inner.log(level, message, fields);
    };
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    with: (fields) => wrap(inner.child(fields), secrets),
    hide: (secret) => secrets.add(secret),
  };
}
