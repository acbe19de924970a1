/** What also programs may use that are not run by Vitest. */
export { watchContainerStarts } from "./container-starts.ts";
export { eventually } from "./eventually.ts";
export { checkEverything } from "./oracle/check-everything.ts";
export { checkQueues } from "./oracle/check-queues.ts";
export { rowsOf } from "./oracle/rows.ts";
export { type PlacedAttempt, placeAttempt } from "./place-attempt.ts";
export { type PrivatePostgres, startPrivatePostgres } from "./private-postgres.ts";
export { processesIn } from "./process-tree.ts";
export { type SeededRandom, seededRandom } from "./seeded-random.ts";
export { type TestEngine, testEngine } from "./test-engine.ts";
