import type { ChannelModel } from "amqplib";
import { type Diagnosis, fine, notLookedAt, warning } from "../../../ports/diagnosis.ts";
import { namesOf } from "../topology.ts";
import { ask } from "./open-look.ts";

/** Who consumes, and what was refused. */
export async function lookAtQueues(
  connection: ChannelModel,
  prefix: string,
  missing: ReadonlySet<string>,
): Promise<readonly Diagnosis[]> {
  const names = namesOf(prefix);
  const stateOf = (queue: string) => ask(connection, (channel) => channel.checkQueue(queue));
  // A worker takes from `start` only while it has a free slot: that nobody does says nothing.
  const consumed = [names.requests, names.work].filter((name) => !missing.has(name));
  const alone: string[] = [];
  for (const queue of consumed) {
    const { consumerCount, messageCount } = await stateOf(queue);
    if (consumerCount === 0) {
      alone.push(messageCount === 0 ? queue : `${queue} (${messageCount} messages)`);
    }
  }
  const dead = missing.has(names.dead) ? undefined : (await stateOf(names.dead)).messageCount;
  return [consumersOf(consumed, alone), deadLettersOf(dead)];
}

function consumersOf(consumed: readonly string[], alone: readonly string[]): Diagnosis {
  if (consumed.length === 0) {
    return notLookedAt("broker.consumers", "the queues are missing");
  }
  return alone.length > 0
    ? warning("broker.consumers", `nobody consumes ${alone.join(", ")}`)
    : fine("broker.consumers", "requests and wake-ups are consumed");
}

function deadLettersOf(count: number | undefined): Diagnosis {
  if (count === undefined) {
    return notLookedAt("broker.dead-letters", "the queue is missing");
  }
  return count > 0
    ? warning("broker.dead-letters", `${count} ${count === 1 ? "message waits" : "messages wait"}`)
    : fine("broker.dead-letters", "none waits");
}
