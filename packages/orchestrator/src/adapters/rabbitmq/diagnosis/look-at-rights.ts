import type { ChannelModel } from "amqplib";
import { type Diagnosis, fine, notLookedAt, problem } from "../../../ports/diagnosis.ts";
import type { BrokerAddress } from "../broker-address.ts";
import { namesOf } from "../topology.ts";
import type { TopologyState } from "./look-at-topology.ts";
import { ask, replyCode } from "./open-look.ts";
import { type Publishing, tryPublish } from "./try-publish.ts";

interface Subject {
  readonly connection: ChannelModel;
  readonly address: BrokerAddress;
  readonly prefix: string;
}

/** Whether the user may declare, write and read, as far as there is something to try it on. */
export async function lookAtRights(
  { connection, address, prefix }: Subject,
  { missing, refused }: Pick<TopologyState, "missing" | "refused">,
): Promise<{ readonly publishing: Publishing; readonly diagnosis: Diagnosis }> {
  const names = namesOf(prefix);
  const lacking = refused.map((name) => `declare ${name}`);
  const publishing: Publishing = missing.has(names.requests)
    ? { kind: "missing" }
    : await tryPublish(address, names.requests);
  if (publishing.kind === "refused") {
    lacking.push(`write to ${names.requests}`);
  }
  const queues = [names.requests, names.start, names.work].filter((name) => !missing.has(name));
  for (const queue of queues) {
    if (!(await mayRead(connection, queue))) {
      lacking.push(`read from ${queue}`);
    }
  }
  return { publishing, diagnosis: diagnosisOf(lacking, queues.length, prefix) };
}

function diagnosisOf(lacking: readonly string[], tried: number, prefix: string): Diagnosis {
  if (lacking.length > 0) {
    const more = lacking.length > 3 ? ` and ${lacking.length - 3} more` : "";
    return problem(
      "broker.rights",
      `the user may not ${lacking.slice(0, 3).join(", ")}${more}`,
      `Grant it: rabbitmqctl set_permissions -p VHOST USER '^(${prefix}\\.|amq\\.gen-)' '^(${prefix}\\.|amq\\.gen-|amq\\.default$)' '^(${prefix}\\.|amq\\.gen-)'.`,
    );
  }
  return tried === 0
    ? notLookedAt("broker.rights", "nothing is declared that it could be tried on")
    : fine("broker.rights", "the user may declare, write and read");
}

/**
 * A consumer with a priority that is none: the broker looks at the user's right first and then refuses
 * the priority, so that no message is ever delivered.
 */
async function mayRead(connection: ChannelModel, queue: string): Promise<boolean> {
  return ask(connection, async (channel) => {
    try {
      await channel.prefetch(1);
      await channel.consume(queue, () => {}, { arguments: { "x-priority": "none" } });
      return true;
    } catch (error) {
      switch (replyCode(error)) {
        case 403:
          return false;
        case 406:
          return true;
        default:
          throw error;
      }
    }
  });
}
