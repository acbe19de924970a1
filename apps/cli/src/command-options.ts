import { type Command, InvalidArgumentError } from "commander";

/** What every command takes. */
export function withCommonOptions(command: Command, stdout = "one JSON document"): Command {
  return command
    .option("--json", `${stdout} on stdout, everything else on stderr`)
    .option("--verbose", "stack traces and log lines");
}

/** A whole number from 1 on. */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError(`expected a whole number from 1 on, got ${text}`);
  }
  return number;
}

export function runId(text: string): string {
  if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) {
    throw new InvalidArgumentError("expected a run id (a UUID)");
  }
  return text.toLowerCase();
}
