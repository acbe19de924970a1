import type { Bench } from "../bench.ts";
import type { BenchBroker } from "../bench-broker.ts";
import type { BenchDatabase } from "../bench-database.ts";
import { fleetSubject } from "./fleet-subject.ts";
import { inProcessSubject } from "./in-process-subject.ts";
import type { Subject } from "./subject.ts";

export type Place = "in process" | "RabbitMQ";

/** Something that carries runs of so many no-op phases. */
export function openSubject(
  { services, sizes }: Bench,
  where: Place,
  setup: {
    readonly phases: number;
    readonly keepsEvidence?: boolean;
    readonly database: BenchDatabase;
    readonly broker: BenchBroker;
  },
): Promise<Subject> {
  const { phases, keepsEvidence = false, database, broker } = setup;
  const options = {
    databaseUrl: database.url,
    stateDir: `${services.folder}/state`,
    slots: sizes.slots,
    phases,
    keepsEvidence,
  };
  return where === "in process"
    ? inProcessSubject(options)
    : fleetSubject({ ...options, amqpUrl: broker.url, amqpPrefix: broker.prefix });
}
