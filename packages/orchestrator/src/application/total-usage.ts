import type { Usage } from "../contract/run-result.ts";
import type { AttemptRecord } from "../ports/run-record.ts";

/** Tokens of every attempt, also the failed ones: they were paid for. One unknown cost makes the sum unknown. */
export function totalUsage(attempts: readonly AttemptRecord[]): Usage {
  const total = {
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    costUsd: 0 as number | null,
  };
  for (const { usage } of attempts) {
    if (usage !== null) {
      total.inputTokens += usage.inputTokens;
      total.cachedInputTokens += usage.cachedInputTokens;
      total.outputTokens += usage.outputTokens;
      total.costUsd =
        total.costUsd === null || usage.costUsd === null ? null : total.costUsd + usage.costUsd;
    }
  }
  return total;
}
