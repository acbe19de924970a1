/** How long after the end of a lease the sweeper looks, in milliseconds. */
export const AFTER_LEASE_MS = 5_000;

/** When the sweeper looks at a run that was just stored or given back, in milliseconds. */
export const LOOK_AGAIN_MS = 15_000;

/** A run that got a command is looked at within this time, in milliseconds. */
export const AFTER_COMMAND_MS = 5_000;

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** PostgreSQL compares a uuid with nothing else. */
export function isRunId(text: string): boolean {
  return UUID.test(text);
}
