import { rowsOf } from "@speckit/testkit/program";

export interface WakeUpFigures {
  readonly total: number;
  readonly mostOfOneRun: number;
}

/** A wake-up that finds no free slot is published again by who holds it, so often at most. */
const GIVEN_BACK_EVERY_MS = 5_000;
/** The first, and its second when the request was delivered again. */
const AT_THE_START = 2;
/** What ends it, or wakes somebody because its owner may be dead; and the sweeper's. */
const PER_CLAIM = 2;

/**
 * Holds the number of wake-ups a run has had against what can explain them: each of its claims is
 * worth a few, and each 5 s of waiting for a slot one. Wake-ups that bred would leave any such
 * bound behind within seconds.
 *
 * @param byRun as the broker has counted them
 */
export async function checkWakeUps(
  databaseUrl: string,
  byRun: ReadonlyMap<string, number>,
): Promise<{ readonly figures: WakeUpFigures; readonly violations: readonly string[] }> {
  const runs = await rowsOf<{ id: string; epoch: number; lived_ms: number }>(
    databaseUrl,
    `SELECT id, epoch::integer,
       (extract(epoch FROM cleaned_at - created_at) * 1000)::float8 AS lived_ms
     FROM spec_workflow_runs WHERE cleaned_at IS NOT NULL`,
  );
  const violations = runs.flatMap(({ id, epoch, lived_ms: livedMs }) => {
    const count = byRun.get(id) ?? 0;
    const bound = AT_THE_START + PER_CLAIM * epoch + Math.ceil(livedMs / GIVEN_BACK_EVERY_MS);
    return count >= 1 && count <= bound
      ? []
      : [`run ${id}: ${count} wake-ups, expected 1 to ${bound} (${epoch} claims)`];
  });
  const counts = [...byRun.values()];
  return {
    figures: {
      total: counts.reduce((sum, count) => sum + count, 0),
      mostOfOneRun: Math.max(0, ...counts),
    },
    violations,
  };
}
