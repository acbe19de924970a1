import { migrateDatabase } from "@speckit/orchestrator/node";
import { type PrivateBroker, startPrivateBroker } from "@speckit/private-broker";
import { type PrivatePostgres, startPrivatePostgres } from "@speckit/testkit/program";
import { type KindOfRun, kindsOfRuns } from "./kinds-of-runs.ts";
import { type CampaignEngine, openEngine } from "./open-engine.ts";
import type { CampaignOptions } from "./read-options.ts";
import { openWakeUpTap, type WakeUpTap } from "./wake-up-tap.ts";
import { startCrew, type WorkerCrew } from "./worker-crew.ts";

/** Short leases: what is taken over by lease is so within seconds. */
const QUICK = {
  SPECKIT_RUNTIME: "process",
  SPECKIT_LEASE_MS: "6000",
  SPECKIT_HEARTBEAT_MS: "1000",
  SPECKIT_SWEEP_MS: "1000",
};

export interface Fleet {
  readonly broker: PrivateBroker;
  readonly prefix: string;
  readonly postgres: PrivatePostgres;
  readonly crew: WorkerCrew;
  readonly workers: number;
  readonly tap: WakeUpTap;
  /** Of agents in containers. */
  readonly engine: CampaignEngine | undefined;
  readonly kindOf: (ix: number) => KindOfRun;
  /** Has a line for every start of an agent: its own, or its engine's. */
  readonly startsPath: string;
  /** Everything that workers and agents work in. */
  readonly stateFolder: string;
}

/** Private services, repositories and workers, all in one folder. @param undo ends them */
export async function openFleet(
  folder: string,
  { workers, runtime }: Pick<CampaignOptions, "workers" | "runtime">,
  undo: AsyncDisposableStack,
): Promise<Fleet> {
  const prefix = "campaign";
  const [broker, postgres] = await Promise.all([
    startPrivateBroker().then((started) => undo.use(started)),
    startPrivatePostgres().then((started) => undo.use(started)),
  ]);
  await migrateDatabase(postgres.url);
  const startsPath = `${folder}/starts`;
  const engine =
    runtime === "docker" ? await openEngine(postgres.url, startsPath, undo) : undefined;
  const kindOf = await kindsOfRuns(
    folder,
    engine === undefined ? { sleepMs: 200, appendTo: startsPath } : {},
  );
  const tap = await openWakeUpTap(broker.url, prefix);
  const env = {
    ...QUICK,
    ...engine?.env,
    DATABASE_URL: postgres.url,
    AMQP_URL: broker.url,
    SPECKIT_AMQP_PREFIX: prefix,
    SPECKIT_REPOSITORIES: `file://${folder}/*`,
  };
  const crew = undo.use(await startCrew({ count: workers, folder, env }));
  const stateFolder = `${folder}/state`;
  return { broker, prefix, postgres, crew, workers, tap, engine, kindOf, startsPath, stateFolder };
}
