import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";
import type { ArtifactWriter } from "../../ports/artifact-store.ts";
import type { JobExit, JobFolders } from "../../ports/job-runtime.ts";
import type { PhaseContext } from "./phase-work.ts";
import { removeJob, startJob, untilGone } from "./start-job.ts";

/** It copies its files and is done; two minutes are for a slow machine that starts Python first. */
const DEADLINE_MS = 120_000;
const NEVER = new AbortController().signal;

/**
 * Starts the command that makes a Spec Kit project, once per attempt, and keeps its output. Like an
 * agent it gets nothing of the worker's environment, and lives only while the lease does.
 *
 * @throws SpeckitError `SPEC_KIT_INIT_FAILED`, `WORKER_REPLACED`
 */
export async function runInitCommand(
  context: PhaseContext,
  argv: readonly [string, ...string[]],
  folders: JobFolders,
): Promise<void> {
  const { deps, run, attempt, evidence } = context;
  const open = (name: string) => deps.artifacts.open(run.runId, `prepare-${attempt}/${name}`);
  const logs: ArtifactWriter[] = [];
  try {
    const stdout = await open("stdout.log");
    logs.push(stdout);
    const stderr = await open("stderr.log");
    logs.push(stderr);
    const exit = await carryOut(context, argv, folders, { stdout, stderr });
    context.lease.lost.throwIfAborted();
    evidence.artifacts.push(await stdout.close(), await stderr.close());
    context.signal.throwIfAborted();
    judge(context, argv[0], exit);
  } finally {
    await Promise.allSettled(logs.map((log) => log.discard()));
  }
}

async function carryOut(
  context: PhaseContext,
  argv: readonly [string, ...string[]],
  folders: JobFolders,
  { stdout, stderr }: { readonly stdout: ArtifactWriter; readonly stderr: ArtifactWriter },
): Promise<JobExit> {
  const { deps, run, attempt, lease, signal } = context;
  const name = { runId: run.runId, phase: "prepare", attempt } as const;
  try {
    const job = await startJob(context, "prepare", {
      spec: { ...name, ...folders, argv, env: {}, files: [], stdin: "" },
      listener: { onStdout: stdout.write, onStderr: stderr.write, onLine: () => {} },
      limits: () => ({
        deadlineMs: Math.max(1, Math.min(DEADLINE_MS, context.leftMs())),
        silenceMs: DEADLINE_MS,
      }),
      // Nobody goes on with it: it is short, and leaves nothing that is worth it.
      signals: { end: signal, letGo: NEVER },
    });
    return await untilGone(context, job);
  } catch (cause) {
    if (isSpeckitError(cause) && cause.code === "AGENT_NOT_STARTED") {
      const message = `${run.repository} has no .specify folder, and the command that makes one, ${argv[0]}, cannot be started here`;
      throw new SpeckitError("SPEC_KIT_INIT_FAILED", message, { cause });
    }
    throw cause;
  } finally {
    lease.onRenewed(undefined);
    // A fenced worker touches nothing: whoever owns the run now sees to it.
    if (!lease.lost.aborted) {
      await removeJob(deps, name);
    }
  }
}

function judge({ run, attempt }: PhaseContext, name: string, exit: JobExit): void {
  if (exit.endedBy === "keep_alive" || exit.endedBy === "abort") {
    throw new SpeckitError("WORKER_REPLACED", `${name} was ended because its worker went away`);
  }
  if (exit.exitCode !== 0 || exit.endedBy !== undefined) {
    const how = exit.endedBy ?? exit.signal ?? `code ${exit.exitCode}`;
    throw new SpeckitError(
      "SPEC_KIT_INIT_FAILED",
      `${run.repository}: ${name} ended with ${how}; what it said is in the artifacts of prepare-${attempt}`,
    );
  }
}
