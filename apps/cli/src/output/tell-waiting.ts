import { failureOf } from "@speckit/orchestrator";

/** Says that a command waits for its database, and why. */
export function tellWaiting(reason: unknown): void {
  process.stderr.write(`speckit: waiting for the database: ${failureOf(reason).message}\n`);
}
