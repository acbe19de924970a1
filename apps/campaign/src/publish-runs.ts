import { setTimeout as sleep } from "node:timers/promises";
import { isSpeckitError } from "@speckit/orchestrator";
import { openRunRequestPublisher, type RunRequestPublisher } from "@speckit/orchestrator/rabbitmq";
import type { KindOfRun } from "./kinds-of-runs.ts";

/** Runs that are under way at once, queued ones included. */
const OPEN_AT_MOST = 40;
const LOOK_EVERY_MS = 250;

/**
 * Publishes requests through the public door while things break: as many as there is room for, then
 * more when runs are closed. One that is not confirmed is published again under its own id.
 *
 * @param closed how many runs are closed by now
 * @throws what is no mere absence of the broker
 */
export async function publishRuns(options: {
  readonly url: string;
  readonly prefix: string;
  readonly runIds: readonly string[];
  readonly kindOf: (ix: number) => KindOfRun;
  readonly closed: () => Promise<number>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { url, prefix, runIds, kindOf, closed, signal } = options;
  await using publisher = await openRunRequestPublisher({ url, prefix });
  let published = 0;
  while (published < runIds.length && !signal.aborted) {
    // While the database is away nobody knows: then there is no room.
    const room = OPEN_AT_MOST - published + (await closed().catch(() => 0));
    if (room <= 0) {
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
      continue;
    }
    const wave = runIds.slice(published, published + room);
    const first = published;
    await Promise.all(
      wave.map((runId, ix) => publishSurely(publisher, runId, kindOf(first + ix), signal)),
    );
    published += wave.length;
  }
}

async function publishSurely(
  publisher: RunRequestPublisher,
  runId: string,
  kind: KindOfRun,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await publisher.publish({
        schemaVersion: 1,
        runId,
        repository: `file://${kind.remote}`,
        specifyText: `Add a page about ${kind.name} things`,
        agent: { backend: "scripted" },
      });
      return;
    } catch (error) {
      if (!isSpeckitError(error) || error.code !== "BROKER_UNAVAILABLE") {
        throw error;
      }
    }
  }
}
