import { randomUUID } from "node:crypto";
import { checkQueues, eventually, rowsOf, seededRandom } from "@speckit/testkit/program";
import { disturb } from "./disturb.ts";
import { type Examined, examine } from "./examine.ts";
import type { Mode } from "./modes.ts";
import { type Fleet, openFleet } from "./open-fleet.ts";
import { publishRuns } from "./publish-runs.ts";
import type { CampaignOptions } from "./read-options.ts";

export interface CampaignReport extends Examined {
  readonly mode: Mode;
  readonly runs: number;
  /** From the first request to the last run's end. */
  readonly durationMs: number;
  readonly workersKilled: number;
  readonly brokerRestarts: number;
  readonly postgresRestarts: number;
  /** With agents in containers, as what follows. */
  readonly jobsKilled: number;
  /** How long after the last run's end nothing of any was left on the engine; undefined when there is something. */
  readonly cleanAfterMs: number | undefined;
}

/** Generous: a machine with two cores spends most of them on starting what was killed. */
const withinMs = (runs: number, inContainers: boolean): number =>
  300_000 + runs * (inContainers ? 25_000 : 10_000);

/**
 * Carries runs on private services while the mode's things are broken, lets everything come to rest,
 * ends the workers, and looks at what is left with plain clients.
 *
 * @param folder a new one: repositories, state folders and logs are made in it
 * @param undo ends everything that was started here
 */
export async function campaign(
  mode: Mode,
  options: CampaignOptions,
  folder: string,
  undo: AsyncDisposableStack,
): Promise<CampaignReport> {
  const fleet = await openFleet(folder, options, undo);
  const startedMs = performance.now();
  const disturbances = disturb(mode, seededRandom(options.seed), fleet, options);
  const carried = await problemOf(() => carry(fleet, options.runs));
  const durationMs = Math.round(performance.now() - startedMs);
  await disturbances.stop();
  let cleanAfterMs: number | undefined;
  const [rested, cleaned] = await Promise.all([
    problemOf(() => comeToRest(fleet)),
    problemOf(async () => {
      cleanAfterMs = await fleet.engine?.untilClean();
    }),
  ]);
  const neighbours = (await fleet.engine?.checkNeighbours()) ?? [];
  const badEnds = await fleet.crew.drain();
  const examined = await examine(fleet, options.runs);
  return {
    mode,
    runs: options.runs,
    durationMs,
    workersKilled: fleet.crew.killed(),
    brokerRestarts: disturbances.brokerRestarts(),
    postgresRestarts: disturbances.postgresRestarts(),
    jobsKilled: fleet.engine?.killed() ?? 0,
    cleanAfterMs,
    ...examined,
    violations: [
      ...[...carried, ...rested, ...cleaned, ...neighbours],
      ...[...badEnds, ...examined.violations],
    ],
  };
}

/** Publishes all requests and waits until every run is closed. */
async function carry(
  { broker, prefix, postgres, engine, kindOf }: Fleet,
  runs: number,
): Promise<void> {
  const giveUp = new AbortController();
  const closed = () => closedRuns(postgres.url);
  const publishing = publishRuns({
    url: broker.url,
    prefix,
    runIds: Array.from({ length: runs }, () => randomUUID()),
    kindOf,
    closed,
    signal: giveUp.signal,
  });
  try {
    await Promise.all([
      publishing,
      eventually("every run is closed", closed, (count) => count === runs, {
        withinMs: withinMs(runs, engine !== undefined),
        everyMs: 250,
      }),
    ]);
  } finally {
    giveUp.abort();
    await publishing.catch(() => {});
  }
}

/** After the last disturbance: every worker takes work, and every message is dealt with. */
async function comeToRest({ crew, broker, prefix }: Fleet): Promise<void> {
  await crew.ready();
  await eventually(
    "every queue is empty",
    () => checkQueues(broker.url, prefix, []),
    (problems) => problems.length === 0,
    { withinMs: 60_000, everyMs: 200 },
  );
}

async function closedRuns(databaseUrl: string): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(
    databaseUrl,
    "SELECT count(*)::integer AS count FROM spec_workflow_runs WHERE cleaned_at IS NOT NULL",
  );
  return row?.count ?? 0;
}

async function problemOf(work: () => Promise<void>): Promise<readonly string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
