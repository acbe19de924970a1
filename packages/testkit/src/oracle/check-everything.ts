/**
 * The judge of fault tests: what a stranger can find out about a fleet after it has been hurt.
 *
 * Nothing of the code under test is asked. The rows of PostgreSQL, the queues of the broker, the
 * branches of the git remotes and the file to which the agents append a line at each start are read
 * with plain clients, and must agree. Call it when every run should be over and the workers have
 * ended (what a worker still holds unacked is in no queue's count).
 */
import { checkRuns } from "../check-runs.ts";
import { checkAttempts } from "./check-attempts.ts";
import { checkQueues } from "./check-queues.ts";
import { checkRemotes, type Remote } from "./check-remotes.ts";
import { checkStarts } from "./check-starts.ts";

export interface Evidence {
  readonly databaseUrl: string;
  /** With `prefix`: looks at the broker too. */
  readonly amqpUrl?: string;
  readonly prefix?: string;
  /** Codes of what the dead-letter queue must hold, in any order. Default: nothing. */
  readonly deadLetters?: readonly string[];
  /** Everything the runs may have pushed to; of one that is only a path, runs have its `file://` URL. */
  readonly remotes?: readonly (string | Remote)[];
  /** The file the scripted agents append to at each start (`appendTo`). */
  readonly startsPath?: string;
  /** Outcomes that the runs must have together. Default: only that each has one. */
  readonly outcomes?: Readonly<Record<string, number>>;
}

/** @returns what does not hold, one line each; empty when all is well */
export async function checkEverything(evidence: Evidence): Promise<readonly string[]> {
  const { databaseUrl, amqpUrl, prefix, remotes, startsPath, outcomes } = evidence;
  const found = [
    await checkAttempts(databaseUrl, outcomes),
    await checkRuns(databaseUrl),
    remotes === undefined ? [] : await checkRemotes(databaseUrl, remotes.map(asRemote)),
    startsPath === undefined ? [] : await checkStarts(databaseUrl, startsPath),
    amqpUrl === undefined || prefix === undefined
      ? []
      : await checkQueues(amqpUrl, prefix, evidence.deadLetters ?? []),
  ];
  return found.flat();
}

function asRemote(remote: string | Remote): Remote {
  return typeof remote === "string" ? { path: remote, gitRemote: `file://${remote}` } : remote;
}
