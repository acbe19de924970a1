import { describe, expect, test } from "vitest";
import {
  type DeliveryDecision,
  type DeliveryFacts,
  judgeDelivery,
} from "../../src/domain/delivery.ts";

const claim: DeliveryDecision = { do: "claim" };
const ignore = (because: Extract<DeliveryDecision, { do: "ignore" }>["because"]) =>
  ({ do: "ignore", because }) as const;

/** The decision table: the first row whose facts all match decides. */
const TABLE: readonly (readonly [string, Partial<DeliveryFacts>, DeliveryDecision])[] = [
  ["cleanup is recorded", { cleaned: true }, ignore("the run is over")],
  [
    "another worker holds the lease, and is gone: redelivered",
    { lease: "other", suspicion: "redelivered", ownerIsGone: true },
    claim,
  ],
  [
    "another worker holds the lease, and is gone: its epoch is suspect",
    { lease: "other", suspicion: "epoch", ownerIsGone: true },
    claim,
  ],
  [
    "another worker holds the lease, asked before",
    { lease: "other", suspicion: "epoch" },
    ignore("another worker has it"),
  ],
  [
    "another worker holds the lease, redelivered",
    { lease: "other", suspicion: "redelivered" },
    { do: "ask_again" },
  ],
  ["another worker holds the lease", { lease: "other" }, ignore("another worker has it")],
  ["ended, not cleaned, unowned", { ended: true }, claim],
  ["a cancel is requested, also when not due", { cancelRequested: true }, claim],
  ["not due", { due: false }, ignore("it is not due")],
  [
    "its container is on another engine, which is heard of",
    { job: "elsewhere" },
    { do: "send_to_engine" },
  ],
  ["due and unowned, its engine lost or this one", {}, claim],
];

const LEASES = ["free", "other"] as const;
const JOBS = ["none", "here", "elsewhere", "lost"] as const;
const SUSPICIONS = ["none", "redelivered", "epoch"] as const;
const EVERY_CASE: readonly DeliveryFacts[] = LEASES.flatMap((lease) =>
  JOBS.flatMap((job) =>
    Array.from({ length: 3 * 32 }, (_, bits) => ({
      lease,
      job,
      suspicion: SUSPICIONS[Math.floor(bits / 32)] ?? "none",
      ownerIsGone: (bits & 16) > 0,
      cleaned: (bits & 1) > 0,
      ended: (bits & 2) > 0,
      cancelRequested: (bits & 4) > 0,
      due: (bits & 8) > 0,
    })),
  ),
);

function rowOf(facts: DeliveryFacts): number {
  return TABLE.findIndex(([, row]) =>
    Object.entries(row).every(([name, value]) => facts[name as keyof DeliveryFacts] === value),
  );
}

describe("judgeDelivery", () => {
  test("a wake-up for a run that is not there is ignored", () => {
    expect(judgeDelivery(undefined)).toEqual(ignore("no such run"));
  });

  test.each(TABLE.map(([name, , decision], ix) => ({ name, ix, decision })))(
    "$name",
    ({ ix, decision }) => {
      const cases = EVERY_CASE.filter((facts) => rowOf(facts) === ix);
      expect(cases.length).toBeGreaterThan(0);
      for (const facts of cases) {
        expect(judgeDelivery(facts), JSON.stringify(facts)).toEqual(decision);
      }
    },
  );
});
