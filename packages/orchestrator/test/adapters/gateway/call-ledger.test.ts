import { randomUUID } from "node:crypto";
import { eventually } from "@speckit/testkit";
import { describe, expect, test } from "vitest";
import { callLedger } from "../../../src/adapters/gateway/call-ledger.ts";
import { systemClock } from "../../../src/adapters/system/index.ts";
import { SpeckitError } from "../../../src/domain/speckit-error.ts";
import { sampleModelCall } from "../../../src/testing/sample-model-call.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";

const attempt = { runId: randomUUID(), phase: "plan", attempt: 1 };
const away = () => new SpeckitError("DATABASE_UNAVAILABLE", "away");

/** A ledger before a store that fails as it is told, and keeps what it took. */
function ledgerBefore(fault: () => Error | undefined, maxKept?: number) {
  const stored: { readonly callId: string; readonly durationMs: number }[] = [];
  const { logger, lines } = recordingLogger();
  const ledger = callLedger({
    authority: {
      async recordCall(_attempt, callId, { durationMs }) {
        const error = fault();
        if (error !== undefined) {
          throw error;
        }
        stored.push({ callId, durationMs });
      },
    },
    clock: systemClock,
    logger,
    ...(maxKept === undefined ? {} : { maxKept }),
  });
  const record = (durationMs: number) => ledger.record(attempt, sampleModelCall({ durationMs }));
  return { ledger, stored, lines, record };
}

describe("the ledger of ended calls", () => {
  test("has stored a call when it says so, in the order they came", async () => {
    const { record, stored, ledger } = ledgerBefore(() => undefined);
    await Promise.all([record(1), record(2), record(3)]);
    expect(stored.map(({ durationMs }) => durationMs)).toEqual([1, 2, 3]);
    expect(ledger.kept()).toBe(0);
  });

  test("makes nobody wait for a store that is away, and stores all when it is back, once each", async () => {
    let isAway = true;
    const { record, stored, ledger, lines } = ledgerBefore(() => (isAway ? away() : undefined));
    const startedMs = performance.now();
    await record(1);
    await record(2);
    await record(3);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(ledger.kept()).toBe(3);
    expect(lines.map(({ level }) => level)).toEqual(["warn"]);
    isAway = false;
    await ledger.flush(5_000);
    expect(stored.map(({ durationMs }) => durationMs)).toEqual([1, 2, 3]);
    expect(new Set(stored.map(({ callId }) => callId)).size).toBe(3);
  });

  test("tries the same call under the same id again", async () => {
    const ids: string[] = [];
    let fails = 2;
    const ledger = callLedger({
      authority: {
        async recordCall(_attempt, callId) {
          ids.push(callId);
          fails -= 1;
          if (fails >= 0) {
            throw away();
          }
        },
      },
      clock: systemClock,
      logger: recordingLogger().logger,
    });
    await ledger.record(attempt, sampleModelCall());
    await ledger.flush(5_000);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  test("keeps a bounded number, loses the oldest, and says so", async () => {
    let isAway = true;
    const { record, stored, ledger, lines } = ledgerBefore(() => (isAway ? away() : undefined), 2);
    for (let ix = 1; ix <= 5; ix += 1) {
      await record(ix);
    }
    expect(ledger.kept()).toBe(2);
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
    isAway = false;
    await ledger.flush(5_000);
    expect(stored.map(({ durationMs }) => durationMs)).toEqual([4, 5]);
    await eventually("told", () =>
      lines.some(({ level, fields }) => level === "info" && fields?.lost === 3),
    );
  });

  test("lets one call go that the store will never take, not those after it", async () => {
    let first = true;
    const { record, stored, lines } = ledgerBefore(() => {
      const error = first ? new Error("no such column") : undefined;
      first = false;
      return error;
    });
    await record(1);
    await record(2);
    expect(stored.map(({ durationMs }) => durationMs)).toEqual([2]);
    expect(lines.map(({ level }) => level)).toEqual(["error"]);
  });
});
