import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "@speckit/testkit/program";
import { breaksBroker, breaksPostgres, type Mode } from "./modes.ts";
import type { Fleet } from "./open-fleet.ts";

export interface Disturbances {
  readonly brokerRestarts: () => number;
  readonly postgresRestarts: () => number;
  /** Lets everything come up again; resolves when it is. */
  readonly stop: () => Promise<void>;
}

/**
 * Breaks what the mode says until stopped, and where there is an engine its agents' containers. What is
 * chosen follows from `random`; when it hits, does not.
 */
export function disturb(
  mode: Mode,
  random: SeededRandom,
  fleet: Pick<Fleet, "crew" | "workers" | "broker" | "postgres" | "engine">,
  every: { readonly killEveryMs: number; readonly restartEveryMs: number },
): Disturbances {
  const over = new AbortController();
  const repeat = async (everyMs: number, work: () => unknown): Promise<void> => {
    while (!over.signal.aborted) {
      await sleep(everyMs, undefined, { signal: over.signal }).catch(() => {});
      if (!over.signal.aborted) {
        await work();
      }
    }
  };
  let agentsSeen = 0;
  /** With containers work is slow: whoever kills faster than anything begins has it never end. */
  const hasMovedOn = (engine: Fleet["engine"]): boolean => {
    const agents = engine?.started() ?? agentsSeen + 1;
    const isMore = agents > agentsSeen;
    agentsSeen = agents;
    return isMore;
  };
  let brokerRestarts = 0;
  let postgresRestarts = 0;
  const all = [
    repeat(every.killEveryMs, async () => {
      if (hasMovedOn(fleet.engine)) {
        await fleet.crew.kill(random.int(fleet.workers));
        await fleet.engine?.killJob(random);
      }
    }),
    breaksBroker(mode)
      ? repeat(every.restartEveryMs, async () => {
          await fleet.broker.restart({ kill: brokerRestarts % 2 === 1 });
          brokerRestarts += 1;
        })
      : undefined,
    breaksPostgres(mode)
      ? repeat(every.restartEveryMs, async () => {
          await fleet.postgres.restart();
          postgresRestarts += 1;
        })
      : undefined,
  ];
  const done = Promise.all(all);
  done.catch(() => {});
  return {
    brokerRestarts: () => brokerRestarts,
    postgresRestarts: () => postgresRestarts,
    async stop() {
      over.abort();
      await done;
    },
  };
}
