/**
 * What is broken while the runs go on. In every mode a random worker is killed now and then;
 * `everything` restarts both services as well.
 */
export const MODES = ["workers", "broker", "postgres", "everything"] as const;
export type Mode = (typeof MODES)[number];

export const breaksBroker = (mode: Mode): boolean => mode === "broker" || mode === "everything";
export const breaksPostgres = (mode: Mode): boolean => mode === "postgres" || mode === "everything";
