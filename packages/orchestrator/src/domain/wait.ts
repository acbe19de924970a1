/** What a live run that nobody carries waits for; `worker`: nothing else, it is due. */
export const WAITS = [
  "worker",
  "retry",
  "pull_request",
  "credential",
  "fence",
  "input",
  "approval",
] as const;
export type Wait = (typeof WAITS)[number];
