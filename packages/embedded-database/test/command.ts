import { openEmbeddedDatabase } from "../src/index.ts";
import { ask } from "./ask.ts";

// A command as a process of its own: opens, says what it found, stays until it is told to go.
const [stateDir = "", idleStopMs = "500"] = process.argv.slice(2);
const database = await openEmbeddedDatabase({ stateDir, idleStopMs: Number(idleStopMs) });
const { startedByThisCall } = database;
const { at } = await ask(database, "select pg_postmaster_start_time()::text as at");
process.stdout.write(`${JSON.stringify({ startedByThisCall, at })}\n`);
process.stdin.once("data", async () => {
  await database[Symbol.asyncDispose]();
  process.exit(0);
});
