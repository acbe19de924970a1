const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Whether a text can be a run's id: PostgreSQL fails a statement that compares a uuid with another. */
export function isRunId(text: string): boolean {
  return UUID.test(text);
}
