import type { Explanation } from "../../contract/explanation.ts";
import type { RunFacts } from "./run-facts.ts";
import { whatFollowed } from "./what-followed.ts";

/** Every attempt, with what followed from it. */
export function timelineOf({
  run,
  attempts,
}: Pick<RunFacts, "run" | "attempts">): Explanation["timeline"] {
  const last =
    run.outcome === null
      ? undefined
      : attempts.findLast(({ phase, attempt }) => phase !== "cleanup" && attempt > 0);
  return attempts.map((row, ix) => {
    const { phase, attempt, state, failure, durationMs } = row;
    const before = attempts.slice(0, ix).filter((other) => other.phase === phase);
    const followed = whatFollowed(row, before, row === last);
    return {
      phase,
      attempt,
      state,
      startedAt: row.startedAt?.toISOString() ?? null,
      endedAt: row.endedAt?.toISOString() ?? null,
      durationMs,
      ...(failure === null
        ? {}
        : { failure: { code: failure.code, class: failure.class, message: failure.message } }),
      ...(followed === undefined ? {} : { followed }),
    };
  });
}
