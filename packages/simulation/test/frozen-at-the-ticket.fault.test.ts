import type { Phase } from "@speckit/orchestrator";
import { expect, test } from "vitest";
import type { Mutations } from "../src/bugs/mutations.ts";
import { runSchedule } from "../src/run/run-schedule.ts";

/** Each worker freezes for longer than its lease while the answer to its start ticket is under way. */
const freezesAtTicket = (frozenIn: Phase): Mutations => ({
  runs: (inner, { process, scheduler, oracle }) => ({
    ...inner,
    useStartTicket: async (hold, phase, attempt) => {
      const isUsed = await inner.useStartTicket(hold, phase, attempt);
      if (phase === frozenIn && hold.epoch === 1) {
        process.frozenUntilMs = scheduler.nowMs() + 60_000;
        // As with every freeze: awake, it acks the wake-up of a run it believes to have in hand.
        oracle.keepsMessages = false;
      }
      return isUsed;
    },
  }),
});

test.each(["specify", "publish"] as const)(
  "a worker that sleeps between the start ticket of %s and what it is for does nothing any more",
  async (phase) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { violation } = await runSchedule({ seed, mutations: freezesAtTicket(phase) });
      expect(violation, `seed ${seed}`).toBeUndefined();
    }
  },
);
