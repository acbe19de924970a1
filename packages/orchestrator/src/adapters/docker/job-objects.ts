import type { JobName } from "../../ports/job-runtime.ts";

/** Labels of everything this deployment has on an engine: who it belongs to, and what it is. */
export const LABELS = {
  deployment: "speckit.deployment",
  role: "speckit.role",
  run: "speckit.run",
  phase: "speckit.phase",
  attempt: "speckit.attempt",
  /** On one volume per engine: the name this deployment knows the engine by. */
  engine: "speckit.engine",
  /** On the gateway's container: which configuration it was started with, as a hash. */
  configuration: "speckit.configuration",
} as const;

export type Role = "job" | "watch" | "ask" | "gateway" | "engine";

/** Docker takes letters, digits, `_`, `.` and `-` only. */
const UNFIT = /[^a-zA-Z0-9_.-]/g;

/** What every name of this deployment begins with. */
export function namePrefix(deploymentId: string): string {
  return `speckit-${deploymentId.slice(0, 8)}`;
}

/** The one name of an attempt's container and volume: it makes the attempt single on its engine. */
export function objectName(deploymentId: string, { runId, phase, attempt }: JobName): string {
  return `${namePrefix(deploymentId)}-${runId}-${phase.replaceAll(UNFIT, "_")}-${attempt}`;
}

/** The container that measures a job's volume. */
export function watchName(deploymentId: string, job: JobName): string {
  return `${objectName(deploymentId, job)}-watch`;
}

export function labelsOf(
  deploymentId: string,
  role: Role,
  job?: JobName,
): Readonly<Record<string, string>> {
  return {
    [LABELS.deployment]: deploymentId,
    [LABELS.role]: role,
    ...(job === undefined
      ? {}
      : {
          [LABELS.run]: job.runId,
          [LABELS.phase]: job.phase,
          [LABELS.attempt]: String(job.attempt),
        }),
  };
}

/** The job that labels name, undefined when they name none. */
export function jobOfLabels(
  labels: Readonly<Record<string, string>> | null | undefined,
): JobName | undefined {
  const runId = labels?.[LABELS.run];
  const phase = labels?.[LABELS.phase];
  const attempt = Number(labels?.[LABELS.attempt]);
  if (runId === undefined || phase === undefined || !Number.isSafeInteger(attempt)) {
    return undefined;
  }
  return { runId, phase, attempt };
}

/** A filter of Docker's lists: this deployment's jobs, of one run or of all. */
export function jobFilter(deploymentId: string, runId?: string): { readonly label: string[] } {
  return {
    label: [
      `${LABELS.deployment}=${deploymentId}`,
      `${LABELS.role}=job`,
      ...(runId === undefined ? [] : [`${LABELS.run}=${runId}`]),
    ],
  };
}
