import type { ChannelModel } from "amqplib";
import type { CheckName } from "../../../ports/checks.ts";
import {
  type Diagnosis,
  fine,
  notLookedAt,
  problem,
  problemOf,
  warning,
} from "../../../ports/diagnosis.ts";
import { type BrokerAddress, brokerAddress } from "../broker-address.ts";
import { translateBrokerError } from "../broker-errors.ts";
import { topologyOf } from "../topology.ts";
import { acknowledgementTimeout } from "./acknowledgement-timeout.ts";
import { lookAtQueues } from "./look-at-queues.ts";
import { lookAtRights } from "./look-at-rights.ts";
import { lookAtTopology } from "./look-at-topology.ts";
import { closeSoon, openLook } from "./open-look.ts";
import { refusedLogin } from "./refused-login.ts";
import type { tryPublish } from "./try-publish.ts";

export interface BrokerSubject {
  readonly url: string;
  /** Default `speckit`. */
  readonly prefix?: string | undefined;
  /** How long a wake-up is held at most, and one phase more. */
  readonly heldMs: number;
}

const BEHIND_THE_CONNECTION = [
  "broker.version",
  "broker.topology",
  "broker.rights",
  "broker.alarms",
  "broker.acknowledgement-timeout",
  "broker.consumers",
  "broker.dead-letters",
] as const satisfies readonly CheckName[];

/**
 * Looks at a deployment's broker. Nothing is declared that is not there, nothing taken from a queue, and
 * what is published has no body and no queue to go to.
 */
export async function diagnoseRabbitmq(subject: BrokerSubject): Promise<readonly Diagnosis[]> {
  const { prefix = "speckit", heldMs } = subject;
  let address: BrokerAddress;
  let connection: ChannelModel;
  try {
    address = brokerAddress(subject.url);
  } catch (error) {
    return [problemOf("broker.connection", error), ...nothingOf("there is no address")];
  }
  try {
    connection = await openLook(address);
  } catch (error) {
    return [refusedLogin(error, address), ...nothingOf("there is no broker to ask")];
  }
  try {
    const topology = await lookAtTopology(connection, topologyOf(prefix));
    const { publishing, diagnosis: rights } = await lookAtRights(
      { connection, address, prefix },
      topology,
    );
    return [
      fine("broker.connection", `${address.description} answers`),
      versionOf(connection),
      topology.diagnosis,
      rights,
      alarmsOf(publishing),
      acknowledgementTimeout(heldMs),
      ...(await lookAtQueues(connection, prefix, topology.missing)),
    ];
  } catch (cause) {
    const error = translateBrokerError(cause, address.description);
    return [problemOf("broker.connection", error), ...nothingOf("the connection was lost")];
  } finally {
    await closeSoon(connection);
  }
}

function nothingOf(because: string): readonly Diagnosis[] {
  return BEHIND_THE_CONNECTION.map((check) => notLookedAt(check, because));
}

function versionOf(connection: ChannelModel): Diagnosis {
  const { version = "" } = connection.connection.serverProperties as { version?: string };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const found = `RabbitMQ ${version}`;
  if (major < 3 || (major === 3 && minor < 10)) {
    return problem("broker.version", `${found}, too old`);
  }
  return major > 4
    ? warning("broker.version", `${found}, newer than any that was tried`)
    : fine("broker.version", found);
}

function alarmsOf(publishing: Awaited<ReturnType<typeof tryPublish>>): Diagnosis {
  switch (publishing.kind) {
    case "taken":
      return fine("broker.alarms", "the broker takes messages");
    case "blocked":
      return problem("broker.alarms", `the broker takes no messages: ${publishing.reason}`);
    case "refused":
      return notLookedAt("broker.alarms", "the user may not publish");
    case "missing":
      return notLookedAt("broker.alarms", "there is no exchange to publish to");
  }
}
