import type { Usage } from "../../contract/run-result.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { type Failure, failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import { secretMasker } from "../../domain/secret-forms.ts";
import type { AgentBackend } from "../../ports/agent-backend.ts";
import type { ArtifactWriter } from "../../ports/artifact-store.ts";
import type { NewEvent } from "../../ports/attempt-commit.ts";
import type { EgressAccess } from "../../ports/egress.ts";
import type {
  Job,
  JobExit,
  JobFolders,
  JobLimits,
  JobListener,
  JobSignals,
} from "../../ports/job-runtime.ts";
import type { ModelAccess, ModelReport } from "../../ports/model-gateway.ts";
import { agentEventLog } from "../agent-event-log.ts";
import { untilAvailable } from "../until-available.ts";
import { keepSession } from "./agent-session.ts";
import { type EventFile, eventFile } from "./event-file.ts";
import { keepEgress } from "./keep-egress.ts";
import type { PhaseContext } from "./phase-work.ts";
import { untilGone } from "./start-job.ts";

interface AgentCall {
  readonly phase: AgentPhase;
  readonly backend: AgentBackend;
  /** As the agent sees them. */
  readonly folders: JobFolders;
  /** The agent's way to its model. */
  readonly access: ModelAccess | undefined;
  /** Its way to anything else. */
  readonly egress: EgressAccess | undefined;
  /** What an earlier owner has written of this attempt. */
  readonly before?: { readonly notes: number; readonly events: number } | undefined;
  /** Of a job that ends with its worker: told first of all. */
  readonly note?: Pick<NewEvent, "type" | "data"> | undefined;
  /** Starts the agent, or goes on with one that was started; undefined: it is no more. */
  readonly start: (
    listener: JobListener,
    limits: () => Omit<JobLimits, "keepAliveMs">,
    signals: JobSignals,
  ) => Promise<Job | undefined>;
}

/** Thrown when an agent was left to go on without this worker: nothing of it is recorded here. */
export class AgentLeft extends Error {
  override readonly name = "AgentLeft";
}

/**
 * Watches the agent to its end, and keeps its output. One that ends with its worker lives only while
 * the lease does: each renewal lets it live for what is left of the trust window.
 *
 * An agent that was ended because of a cancel leaves its output and its cost as evidence like any
 * other. Only a fenced worker keeps nothing: it may write no row that would name it.
 *
 * @returns what the agent failed with, undefined when it says that it is done
 * @throws AgentLeft when this worker had to let go, and the agent goes on
 */
export async function superviseAgent(
  context: PhaseContext,
  call: AgentCall,
): Promise<Failure | undefined> {
  const { deps, attempt, lease, signal, evidence } = context;
  const { phase, access } = call;
  const events = agentEventLog({
    ...deps,
    lease,
    phase,
    attempt,
    onWritten: context.onEvents,
    before: call.before,
  });
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
    if (call.note !== undefined) {
      events.note(call.note);
    }
    const exit = await carryOut(context, call, modelEnd.signal, {
      async onStdout(piece) {
        // Events of the piece before this one: memory stays bounded by what one piece says.
        await logs.events.written();
        await logs.stdout.write(piece);
      },
      onStderr: logs.stderr.write,
      onLine(line, tail) {
        void deps.reach?.("agent.output", at);
        const told = reader.read(line, tail);
        events.add(told);
        logs.events.add(told);
      },
    });
    if (exit === undefined) {
      return failure("CONTAINER_LOST", `The container of ${phase} ${attempt} is no more`);
    }
    if (exit.isLeft === true) {
      throw new AgentLeft(`${phase} ${attempt} goes on`);
    }
    await deps.reach?.("agent.exited", at);
    lease.lost.throwIfAborted();
    const leftOut = wordsOnLeftOut(exit);
    if (leftOut !== undefined) {
      events.note({ type: "phase.warning", data: { text: leftOut } });
    }
    evidence.artifacts.push(
      await logs.stdout.close(),
      await logs.stderr.close(),
      await logs.events.close(),
    );
    const reached = call.egress && (await keepEgress(context, phase, call.egress));
    if (reached !== undefined) {
      events.note(reached);
    }
    const sessionId = reader.sessionId?.();
    if (sessionId !== undefined && exit.kept !== undefined) {
      const mask = secretMasker(Object.values(call.backend.secrets ?? {}));
      const files = exit.kept.map(({ path, content }) => ({ path, content: mask(content) }));
      const session = { backend: call.backend.name, sessionId, files };
      await keepSession(context, phase, session);
    }
    signal.throwIfAborted();
    const told = access && (await untilAvailable(deps, signal, access.report));
    const calls = told?.calls ?? [];
    return endedByModel ?? endedByUs(context, exit) ?? reader.classify({ ...exit, calls });
  } finally {
    // Of a store that is away nothing is known: then the agent's own sum is better than none.
    evidence.usage = usageOf(await access?.report().catch(() => undefined)) ?? events.usage();
    evidence.lastMessage = events.lastMessage();
    // Nothing of this attempt is written after its end.
    await events.close();
    await Promise.allSettled([logs.stdout.discard(), logs.stderr.discard(), logs.events.discard()]);
  }
}

/** What its workspace had that is no file, folder or symlink: it is not in the tree, and is told of. */
function wordsOnLeftOut({ leftOut = [] }: JobExit): string | undefined {
  const [first] = leftOut;
  return first === undefined
    ? undefined
    : `${leftOut.length} ${leftOut.length === 1 ? "entry" : "entries"} of the workspace cannot be taken, first ${first.path.slice(0, 1_000)}: ${first.what}`;
}

/** What the gateway has counted, failed turns included; an agent's own sum leaves those out. */
function usageOf(report: ModelReport | undefined): Usage | undefined {
  if (report === undefined) {
    return undefined;
  }
  const { inputTokens, cachedInputTokens, outputTokens, costUsd } = report.usage;
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
  { phase, access, start }: AgentCall,
  modelEnd: AbortSignal,
  listener: JobListener,
): Promise<JobExit | undefined> {
  const { deps, run, attempt, lease, letGo } = context;
  const job = await start(
    listener,
    () => ({ deadlineMs: Math.max(1, context.leftMs()), silenceMs: deps.settings.silenceMs }),
    { end: AbortSignal.any([lease.cancelled, modelEnd]), letGo },
  );
  if (job === undefined) {
    return undefined;
  }
  await deps.reach?.("agent.started", { runId: run.runId, phase, attempt });
  // An agent prints nothing while its model thinks; the model's own words come all the while.
  access?.onHeard(() => job.heard?.());
  return untilGone(context, job);
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
    case "start_refused":
      return failure(
        "WORKER_REPLACED",
        "The start ticket is used or no longer valid: the agent was not started",
      );
    case "secrets_missing":
      return failure(
        "WORKER_REPLACED",
        "The worker that started the job did not give it its secrets: the agent was not started",
      );
    case "fenced":
      return failure(
        "WORKER_REPLACED",
        `The agent was ended after ${seconds} s because nobody could say that its attempt is live`,
      );
    case "engine_stopped":
      return failure(
        "CONTAINER_LOST",
        `The agent's container was stopped with its engine after ${seconds} s`,
      );
    case "out_of_memory":
      return failure("AGENT_OUT_OF_MEMORY", `The agent ran out of memory after ${seconds} s`);
    case "workspace_full":
      return failure(
        "WORKSPACE_TOO_LARGE",
        `The agent was ended after ${seconds} s because it had written too much`,
      );
    case "output_full":
      return failure("AGENT_OUTPUT_TOO_LARGE", `The agent had printed too much after ${seconds} s`);
    default:
      return assertNever(exit.endedBy);
  }
}
