import type { AgentReport } from "../../contract/agent-report.ts";
import type { Usage } from "../../contract/run-result.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { type Failure, failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import type { AgentBackend, AgentCommand } from "../../ports/agent-backend.ts";
import type { ArtifactWriter } from "../../ports/artifact-store.ts";
import type { AttemptFolders } from "../../ports/git-workspace.ts";
import type { JobExit } from "../../ports/job-runtime.ts";
import type { ModelAccess } from "../../ports/model-gateway.ts";
import { agentEventLog } from "../agent-event-log.ts";
import { useStartTicket } from "../use-start-ticket.ts";
import { type AgentSession, keepSession } from "./agent-session.ts";
import { type EventFile, eventFile } from "./event-file.ts";
import type { PhaseContext } from "./phase-work.ts";

interface AgentCall {
  readonly phase: AgentPhase;
  readonly backend: AgentBackend;
  readonly command: AgentCommand;
  readonly folders: AttemptFolders;
  /** An earlier conversation it goes on with. */
  readonly session: AgentSession | undefined;
  /** The agent's way to its model. */
  readonly access: ModelAccess | undefined;
  readonly report: AgentReport;
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
  const { phase, access } = call;
  const events = agentEventLog({ ...deps, lease, phase, attempt, onWritten: context.onEvents });
  const reader = call.backend.reader(call.folders.workspace);
  const logs = await openLogs(context, phase);
  const modelEnd = new AbortController();
  let endedByModel: Failure | undefined;
  void access?.ended.then((failed) => {
    endedByModel = failed;
    modelEnd.abort();
  });
  try {
    const at = { runId: context.run.runId, phase, attempt };
    events.note({ type: "phase.agent", data: { ...call.report } });
    const exit = await carryOut(context, call, logs, modelEnd.signal, (line, tail) => {
      void deps.reach?.("agent.output", at);
      const told = reader.read(line, tail);
      events.add(told);
      logs.events.add(told);
    });
    await deps.reach?.("agent.exited", at);
    lease.lost.throwIfAborted();
    evidence.artifacts.push(
      await logs.stdout.close(),
      await logs.stderr.close(),
      await logs.events.close(),
    );
    const sessionId = reader.sessionId?.();
    if (sessionId !== undefined && exit.kept !== undefined) {
      const session = { backend: call.backend.name, sessionId, files: exit.kept };
      await keepSession(context, phase, session);
    }
    signal.throwIfAborted();
    const calls = access?.calls() ?? [];
    return endedByModel ?? endedByUs(context, exit) ?? reader.classify({ ...exit, calls });
  } finally {
    evidence.usage = usageOf(access) ?? events.usage();
    evidence.lastMessage = events.lastMessage();
    // Nothing of this attempt is written after its end.
    await events.close();
    await Promise.allSettled([logs.stdout.discard(), logs.stderr.discard(), logs.events.discard()]);
  }
}

/** What the gateway has counted, failed turns included; an agent's own sum leaves those out. */
function usageOf(access: ModelAccess | undefined): Usage | undefined {
  if (access === undefined) {
    return undefined;
  }
  const { inputTokens, cachedInputTokens, outputTokens, costUsd } = access.usage();
  return { inputTokens, cachedInputTokens, outputTokens, costUsd };
}

interface Logs {
  readonly stdout: ArtifactWriter;
  readonly stderr: ArtifactWriter;
  readonly events: EventFile;
}

async function openLogs({ deps, run, attempt }: PhaseContext, phase: AgentPhase): Promise<Logs> {
  const undo = new AsyncDisposableStack();
  const open = async (name: string): Promise<ArtifactWriter> =>
    undo.adopt(await deps.artifacts.open(run.runId, `${phase}-${attempt}/${name}`), (writer) =>
      writer.discard(),
    );
  try {
    const stdout = await open("stdout.log");
    const stderr = await open("stderr.log");
    const events = eventFile(await open("events.jsonl"));
    undo.move();
    return { stdout, stderr, events };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function carryOut(
  context: PhaseContext,
  { phase, backend, command, session, folders, access }: AgentCall,
  { stdout, stderr, events }: Logs,
  modelEnd: AbortSignal,
  onLine: (line: string, tail?: string) => void,
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
      files: [...command.files, ...(session?.files ?? [])],
      ...(backend.sessionFolders === undefined ? {} : { keep: backend.sessionFolders }),
      stdin: command.stdin,
      deadlineMs: Math.max(1, context.leftMs()),
      silenceMs: deps.settings.silenceMs,
      keepAliveMs: Math.max(0, lease.trustedForMs()),
    },
    {
      async onStdout(piece) {
        // Events of the piece before this one: memory stays bounded by what one piece says.
        await events.written();
        await stdout.write(piece);
      },
      onStderr: stderr.write,
      onLine,
    },
    AbortSignal.any([signal, modelEnd]),
  );
  try {
    await deps.reach?.("agent.started", { runId: run.runId, phase, attempt });
    lease.onRenewed((trustedForMs) => job.keepAlive(trustedForMs));
    // An agent prints nothing while its model thinks; the model's own words come all the while.
    access?.onHeard(() => job.heard?.());
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
