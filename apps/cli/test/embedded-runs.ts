import { openEmbeddedDatabase } from "@speckit/embedded-database";
import { checkRuns } from "@speckit/testkit";

/** The testkit's look at every closed run, on the embedded database of a state folder. */
export async function checkEmbeddedRuns(stateDir: string): Promise<readonly string[]> {
  await using database = await openEmbeddedDatabase({ stateDir, idleStopMs: 1_000 });
  return checkRuns(database.connectionString);
}
