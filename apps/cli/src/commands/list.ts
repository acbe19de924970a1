import { type ExitCode, type RunRecord, type RunStatus, runSummaryOf } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";

interface ListOptions {
  readonly status?: RunStatus;
  readonly repository?: string;
  readonly limit: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `speckit list`: runs, newest first. */
export async function listCommand(options: ListOptions): Promise<ExitCode> {
  await using session = await openSession({ ...options, reads: true });
  const { status, repository, limit } = options;
  const runs = await session.orchestrator.list({ limit, status, repository });
  process.stdout.write(
    options.json === true ? `${JSON.stringify(runs.map(runSummaryOf))}\n` : runs.map(line).join(""),
  );
  return 0;
}

function line(run: RunRecord): string {
  const created = run.createdAt.toISOString().slice(0, 16).replace("T", " ");
  return `${run.runId}  ${run.status.padEnd(11)}  ${created}  ${run.repository}  ${run.branch}\n`;
}
