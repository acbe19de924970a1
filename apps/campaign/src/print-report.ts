import type { CampaignReport } from "./campaign.ts";

/** The reports as a table for people, then what does not hold. */
export function printReports(reports: readonly CampaignReport[]): string {
  const rows = reports.map((report) => [
    report.mode,
    String(report.runs),
    Object.entries(report.outcomes)
      .map(([name, count]) => `${count} ${name}`)
      .join(", "),
    String(report.workersKilled),
    String(report.jobsKilled),
    String(report.brokerRestarts),
    String(report.postgresRestarts),
    String(report.laterClaims),
    String(report.interrupted),
    `${(report.wakeUps.total / Math.max(1, report.runs)).toFixed(1)} / ${report.wakeUps.mostOfOneRun}`,
    `${Math.round(report.durationMs / 1000)} s`,
    report.cleanAfterMs === undefined ? "-" : `${Math.round(report.cleanAfterMs / 1000)} s`,
    String(report.violations.length),
  ]);
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const violations = reports.flatMap(({ mode, violations: found }) =>
    found.map((violation) => `${mode}: ${violation}`),
  );
  return [...lines, ...violations, ""].join("\n");
}

const HEAD: readonly string[] = [
  "mode",
  "runs",
  "outcomes",
  "workers killed",
  "containers killed",
  "broker restarts",
  "postgres restarts",
  "later claims",
  "interrupted",
  "wake-ups mean / most",
  "took",
  "clean after",
  "violations",
];
