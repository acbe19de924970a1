import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";
import type { ArtifactWriter } from "../../ports/artifact-store.ts";
import type { AttemptFolders } from "../../ports/git-workspace.ts";
import type { JobExit } from "../../ports/job-runtime.ts";
import { useStartTicket } from "../use-start-ticket.ts";
import type { PhaseContext } from "./phase-work.ts";

/** It copies its files and is done; two minutes are for a slow machine that starts Python first. */
const DEADLINE_MS = 120_000;

/**
 * Starts the command that makes a Spec Kit project, once per attempt, and keeps its output. Like an
 * agent it gets nothing of the worker's environment, and lives only while the lease does.
 *
 * @throws SpeckitError `SPEC_KIT_INIT_FAILED`, `WORKER_REPLACED`
 */
export async function runInitCommand(
  context: PhaseContext,
  argv: readonly [string, ...string[]],
  folders: AttemptFolders,
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
  folders: AttemptFolders,
  { stdout, stderr }: { readonly stdout: ArtifactWriter; readonly stderr: ArtifactWriter },
): Promise<JobExit> {
  const { deps, run, attempt, lease, signal } = context;
  await useStartTicket(context, "prepare");
  try {
    const job = await deps.runtime.start(
      {
        runId: run.runId,
        phase: "prepare",
        attempt,
        ...folders,
        argv,
        env: {},
        files: [],
        stdin: "",
        deadlineMs: Math.max(1, Math.min(DEADLINE_MS, context.leftMs())),
        silenceMs: DEADLINE_MS,
        keepAliveMs: Math.max(0, lease.trustedForMs()),
      },
      { onStdout: stdout.write, onStderr: stderr.write, onLine: () => {} },
      signal,
    );
    lease.onRenewed((trustedForMs) => job.keepAlive(trustedForMs));
    // Starting took its time, and a renewal may have come and gone meanwhile.
    job.keepAlive(Math.max(0, lease.trustedForMs()));
    return await job.exit;
  } catch (cause) {
    if (isSpeckitError(cause) && cause.code === "AGENT_NOT_STARTED") {
      const message = `${run.repository} has no .specify folder, and the command that makes one, ${argv[0]}, cannot be started here`;
      throw new SpeckitError("SPEC_KIT_INIT_FAILED", message, { cause });
    }
    throw cause;
  } finally {
    lease.onRenewed(undefined);
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
