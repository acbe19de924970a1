import type { ExitCode } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";
import { printStatistics } from "../output/print-statistics.ts";

const DEFAULT_SINCE_MS = 7 * 86_400_000;

interface StatsOptions {
  readonly since?: number;
  readonly days?: number;
  readonly repository?: string;
  readonly slo?: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `speckit stats`: runs of a period in numbers. With `--slo` it exits 1 when the goal is missed. */
export async function statsCommand(options: StatsOptions): Promise<ExitCode> {
  await using session = await openSession(options);
  const { since, days, repository, slo } = options;
  const told = await session.orchestrator.statistics({
    sinceMs: since ?? (days === undefined ? DEFAULT_SINCE_MS : days * 86_400_000),
    repository,
    ...(slo === undefined ? {} : { targetMs: slo }),
  });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(told)}\n`);
  } else {
    printStatistics(told);
  }
  return slo !== undefined && told.slo.isMet === false ? 1 : 0;
}
