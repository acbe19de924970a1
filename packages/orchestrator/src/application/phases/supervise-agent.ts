import { assertNever } from "../../domain/assert-never.ts";
import { type Failure, failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import type { AgentBackend, AgentCommand } from "../../ports/agent-backend.ts";
import type { ArtifactWriter } from "../../ports/artifact-store.ts";
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

/**
 * Starts the agent once, keeps its output, and watches it to its end. It lives only while the lease
 * does: each renewal lets it live for what is left of the trust window.
 *
 * An agent that was ended because of a cancel or a stop leaves its output and its cost as evidence
 * like any other. Only a fenced worker keeps nothing: it may write no row that would name it.
 *
 * @returns what the agent failed with, undefined when it says that it is done
 */
export async function superviseAgent(
  context: PhaseContext,
  call: AgentCall,
): Promise<Failure | undefined> {
  const { deps, attempt, lease, signal, evidence } = context;
  const { phase } = call;
  const events = agentEventLog({ ...deps, lease, phase, attempt, onWritten: context.onEvents });
  const reader = call.backend.reader();
  const logs = await openLogs(context, phase);
  try {
    const at = { runId: context.run.runId, phase, attempt };
    const exit = await carryOut(context, call, logs, (line) => {
      void deps.reach?.("agent.output", at);
      events.add(reader.read(line));
    });
    await deps.reach?.("agent.exited", at);
    lease.lost.throwIfAborted();
    evidence.artifacts.push(await logs.stdout.close(), await logs.stderr.close());
    signal.throwIfAborted();
    return endedByUs(context, exit) ?? reader.classify(exit);
  } finally {
    evidence.usage = events.usage();
    evidence.lastMessage = events.lastMessage();
    // Nothing of this attempt is written after its end.
    await events.close();
    await Promise.allSettled([logs.stdout.discard(), logs.stderr.discard()]);
  }
}

interface Logs {
  readonly stdout: ArtifactWriter;
  readonly stderr: ArtifactWriter;
}

async function openLogs({ deps, run, attempt }: PhaseContext, phase: AgentPhase): Promise<Logs> {
  const stdout = await deps.artifacts.open(run.runId, `${phase}-${attempt}/stdout.log`);
  try {
    const stderr = await deps.artifacts.open(run.runId, `${phase}-${attempt}/stderr.log`);
    return { stdout, stderr };
  } catch (error) {
    await stdout.discard();
    throw error;
  }
}

async function carryOut(
  context: PhaseContext,
  { phase, command, folders }: AgentCall,
  { stdout, stderr }: Logs,
  onLine: (line: string) => void,
): Promise<JobExit> {
  const { deps, run, attempt, lease, signal } = context;
  await useStartTicket(context, phase);
  const job = await deps.runtime.start(
    {
      runId: run.runId,
      phase,
      attempt,
      ...folders,
      argv: command.argv,
      env: command.env,
      files: command.files,
      stdin: command.stdin,
      deadlineMs: Math.max(1, context.leftMs()),
      silenceMs: deps.settings.silenceMs,
      keepAliveMs: Math.max(0, lease.trustedForMs()),
    },
    { onStdout: stdout.write, onStderr: stderr.write, onLine },
    signal,
  );
  try {
    await deps.reach?.("agent.started", { runId: run.runId, phase, attempt });
    lease.onRenewed((trustedForMs) => job.keepAlive(trustedForMs));
    // Starting took its time, and a renewal may have come and gone meanwhile.
    job.keepAlive(Math.max(0, lease.trustedForMs()));
    return await job.exit;
  } finally {
    lease.onRenewed(undefined);
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
