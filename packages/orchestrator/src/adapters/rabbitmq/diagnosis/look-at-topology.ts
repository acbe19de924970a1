import type { ChannelModel } from "amqplib";
import { type Diagnosis, fine, problem, warning } from "../../../ports/diagnosis.ts";
import type { Topology } from "../topology.ts";
import { ask, replyCode } from "./open-look.ts";

export interface TopologyState {
  readonly diagnosis: Diagnosis;
  readonly missing: ReadonlySet<string>;
  /** What the user may not declare, though it is there already. */
  readonly refused: readonly string[];
}

/**
 * Compares what is at the broker with what workers declare. Each thing is asked for passively first, and
 * declared as a worker does only where it is there: that changes nothing, and a difference is refused by
 * name. One that is deleted between the two is made anew, as the next worker would.
 */
export async function lookAtTopology(
  connection: ChannelModel,
  { exchanges, queues }: Topology,
): Promise<TopologyState> {
  const missing: string[] = [];
  const refused: string[] = [];
  const other: string[] = [];
  const things = [
    ...exchanges.map(({ name, type }) => ({
      name,
      isThere: () => ask(connection, (channel) => channel.checkExchange(name)),
      declare: () => ask(connection, (channel) => channel.assertExchange(name, type)),
    })),
    ...queues.map(({ name, arguments: own }) => ({
      name,
      isThere: () => ask(connection, (channel) => channel.checkQueue(name)),
      declare: () =>
        ask(connection, (channel) =>
          channel.assertQueue(name, { durable: true, arguments: { ...own } }),
        ),
    })),
  ];
  for (const { name, isThere, declare } of things) {
    try {
      await isThere();
      await declare();
    } catch (error) {
      switch (replyCode(error)) {
        case 404:
          missing.push(name);
          break;
        case 403:
          refused.push(name);
          break;
        case 406:
          other.push(differenceIn(error));
          break;
        default:
          throw error;
      }
    }
  }
  return {
    diagnosis: diagnosisOf(things.length, missing, other),
    missing: new Set(missing),
    refused,
  };
}

function diagnosisOf(all: number, missing: readonly string[], other: readonly string[]): Diagnosis {
  if (other.length > 0) {
    return problem("broker.topology", other.join("; "));
  }
  const made = "Start a worker: it declares what is missing.";
  if (missing.length === all) {
    return warning("broker.topology", "nothing is declared yet", made);
  }
  return missing.length > 0
    ? warning("broker.topology", `missing: ${[...new Set(missing)].join(", ")}`, made)
    : fine("broker.topology", `${all} exchanges and queues are as they should be`);
}

/** The broker's own words from the argument on, without what amqplib puts in front. */
function differenceIn(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /inequivalent arg .*?(?="?$)/s.exec(text)?.[0] ?? text;
}
