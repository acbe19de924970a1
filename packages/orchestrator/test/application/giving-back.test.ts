import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { startLeaseKeeper } from "../../src/application/lease-keeper.ts";
import { DEFAULT_SETTINGS } from "../../src/application/settings.ts";
import type { Logger } from "../../src/ports/logger.ts";
import { memoryDatabase, memoryRunRepository } from "../../src/testing/memory/index.ts";
import { owned } from "../../src/testing/run-repository/subject.ts";
import { handTimers } from "../testing/hand-timers.ts";

const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silent,
};

/** An owner whose lease is kept, and the time by which that is done. */
async function owner() {
  const timers = handTimers();
  const database = memoryDatabase({ clock: timers, deploymentId: randomUUID() });
  const runs = memoryRunRepository(database);
  const { hold, workerId } = await owned(runs);
  const { nowMs: monotonicMs, sleep } = timers;
  const clock = { monotonicMs, sleep, now: () => new Date(), random: () => 0.5 };
  const keeper = startLeaseKeeper({
    runs,
    clock,
    logger: silent,
    settings: DEFAULT_SETTINGS,
    workerId,
  });
  const lease = keeper.hold(hold, monotonicMs());
  return { runs, hold, lease, timers };
}

test("a renewal that crosses the giving back of a lease does not say that it is lost", async () => {
  const { runs, hold, lease, timers } = await owner();
  const answer = Promise.withResolvers<void>();
  const giving = lease.giveBack(async () => {
    await runs.releaseRun(hold, []);
    await answer.promise;
  });
  await timers.pass(DEFAULT_SETTINGS.heartbeatMs);
  expect(lease.lost.aborted).toBe(false);
  answer.resolve();
  await giving;
  lease[Symbol.dispose]();
});

test("a lease that is gone though nobody gave it back is lost with the next renewal", async () => {
  const { runs, hold, lease, timers } = await owner();
  await expect(
    lease.giveBack(async () => {
      await runs.releaseRun(hold, []);
      throw new Error("the answer is lost");
    }),
  ).rejects.toThrow("the answer is lost");
  await timers.pass(DEFAULT_SETTINGS.heartbeatMs);
  expect(lease.lost.aborted).toBe(true);
});
