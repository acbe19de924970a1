import type { Usage } from "../../contract/run-result.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { type Failure, failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import type { AgentBackend, AgentCommand } from "../../ports/agent-backend.ts";
import type { StoredArtifact } from "../../ports/artifact-store.ts";
import type { AttemptFolders } from "../../ports/git-workspace.ts";
import type { JobExit } from "../../ports/job-runtime.ts";
import { agentEventLog } from "../agent-event-log.ts";
import { useStartTicket } from "../use-start-ticket.ts";
import type { PhaseContext } from "./phase-work.ts";

interface AgentCall {
  readonly phase: AgentPhase;
  readonly backend: AgentBackend;
  readonly command: AgentCommand;
  readonly folders: AttemptFolders;
}

interface AgentWork {
  readonly failure?: Failure;
  readonly usage?: Usage;
  readonly artifacts: readonly StoredArtifact[];
}

/**
 * Starts the agent once, keeps its output, and watches it to its end. It lives only while the lease
 * does: each renewal lets it live for what is left of the trust window.
 */
export async function superviseAgent(context: PhaseContext, call: AgentCall): Promise<AgentWork> {
  const { deps, run, attempt, lease, signal } = context;
  const { phase } = call;
  const fields = { runId: run.runId, phase, attempt };
  const events = agentEventLog({
    ...deps,
    hold: lease.hold,
    phase,
    attempt,
    onWritten: context.onEvents,
  });
  const reader = call.backend.reader();
  const [stdout, stderr] = await Promise.all([
    deps.artifacts.open(run.runId, `${phase}-${attempt}/stdout.log`),
    deps.artifacts.open(run.runId, `${phase}-${attempt}/stderr.log`),
  ]);
  try {
    await useStartTicket(context, phase);
    const job = await deps.runtime.start(
      {
        ...fields,
        argv: call.command.argv,
        env: call.command.env,
        files: call.command.files,
        stdin: call.command.stdin,
        ...call.folders,
        deadlineMs: context.deadlineMs,
        silenceMs: deps.settings.silenceMs,
        keepAliveMs: Math.max(0, lease.trustedForMs()),
      },
      {
        onStdout: stdout.write,
        onStderr: stderr.write,
        onLine: (line) => events.add(reader.read(line)),
      },
      signal,
    );
    lease.onRenewed((trustedForMs) => job.keepAlive(trustedForMs));
    const exit = await job.exit;
    lease.onRenewed(undefined);
    signal.throwIfAborted();
    const artifacts = await Promise.all([stdout.close(), stderr.close()]);
    await events.close();
    const failed = endedByUs(context, exit) ?? reader.classify(exit);
    const usage = events.usage();
    return {
      artifacts,
      ...(failed === undefined ? {} : { failure: failed }),
      ...(usage === undefined ? {} : { usage }),
    };
  } catch (error) {
    lease.onRenewed(undefined);
    await Promise.allSettled([stdout.discard(), stderr.discard()]);
    throw error;
  }
}

function endedByUs(context: PhaseContext, exit: JobExit): Failure | undefined {
  const seconds = Math.round(exit.durationMs / 1000);
  switch (exit.endedBy) {
    case undefined:
      return undefined;
    case "deadline":
      return context.isLastOfRun
        ? failure(
            "RUN_DEADLINE_EXCEEDED",
            `The run's working time was used up after ${seconds} s of this phase`,
          )
        : failure("PHASE_DEADLINE_EXCEEDED", `The agent was ended after ${seconds} s`);
    case "silence":
      return failure(
        "AGENT_SILENT",
        `The agent printed nothing for ${Math.round(context.deps.settings.silenceMs / 1000)} s`,
      );
    case "keep_alive":
    case "abort":
      return failure(
        "WORKER_REPLACED",
        "The agent was ended because its worker did not keep it alive",
      );
    default:
      return assertNever(exit.endedBy);
  }
}
