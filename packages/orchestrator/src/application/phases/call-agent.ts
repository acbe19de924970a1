import type { Failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import { findingsInProject } from "../../domain/spec-kit/project-output.ts";
import type { AgentBackend, AgentPrompt } from "../../ports/agent-backend.ts";
import type { EgressAccess } from "../../ports/egress.ts";
import type { BaseFiles, GitRun } from "../../ports/git-workspace.ts";
import type { JobFolders, JobPlace, JobSpec } from "../../ports/job-runtime.ts";
import type { ModelAccess } from "../../ports/model-gateway.ts";
import { eventsWritten } from "../agent-event-log.ts";
import { orLost } from "../while-held.ts";
import { agentReport } from "./agent-report.ts";
import { earlierSession } from "./agent-session.ts";
import { foldersOfProject, laidOverFor, surroundingsOf } from "./agent-surroundings.ts";
import { asks } from "./judge-phase.ts";
import { openModelAccess } from "./model-access.ts";
import type { PhaseContext } from "./phase-work.ts";
import { readSkillNames } from "./read-skill-names.ts";
import { readInstructions } from "./spec-kit-project.ts";
import { startJob } from "./start-job.ts";
import { superviseAgent } from "./supervise-agent.ts";

/** What an agent is called for, as far as the phase knows it. */
export interface AgentCalling {
  readonly backend: AgentBackend;
  readonly gitRun: GitRun;
  readonly project: SpecKitProject;
  readonly files: BaseFiles;
}

/** An agent's ways out of where it runs. */
interface WaysOut {
  readonly access: ModelAccess | undefined;
  readonly egress: EgressAccess | undefined;
}

/**
 * Has the agent do its work: started in a fresh workspace, or gone on with where an earlier owner has
 * started it and it outlived that one.
 *
 * @returns what it failed with, undefined when it says that it is done
 */
export async function callAgent(
  context: PhaseContext,
  phase: AgentPhase,
  calling: AgentCalling,
): Promise<Failure | undefined> {
  await using access = await openModelAccess(context, phase, calling.backend);
  const name = { runId: context.run.runId, phase, attempt: context.attempt };
  const egress = await context.deps.egress?.open(name, Math.max(1, context.leftMs()));
  const ways = { access, egress };
  return context.placed === null
    ? await beginAgent(context, phase, calling, ways)
    : await rejoinAgent(context, phase, calling, ways, context.placed);
}

async function beginAgent(
  context: PhaseContext,
  phase: AgentPhase,
  { backend, gitRun, project, files }: AgentCalling,
  { access, egress }: WaysOut,
): Promise<Failure | undefined> {
  const { deps, run, attempt, signal, evidence } = context;
  const laidOver = laidOverFor(run, project, phase);
  const mayPack = deps.runtime.takesPacked === true;
  const here = await deps.git.createAttempt(gitRun, { phase, attempt, laidOver, mayPack }, signal);
  const folders = foldersOfProject(deps.runtime.foldersInJob(here), project);
  const prompt = await promptOf(context, phase, { files, project, folders });
  const session = await earlierSession(context, phase, backend);
  const name = { runId: run.runId, phase, attempt };
  const command = backend.command(prompt, {
    ...name,
    ...folders,
    choice: run.request.agent ?? {},
    sessionId: session?.sessionId,
    access,
  });
  const report = await agentReport(context, { backend, prompt, command, project });
  const environment = `${JSON.stringify(report, null, 2)}\n`;
  const artifacts = [
    await deps.artifacts.put(run.runId, `${phase}-${attempt}/prompt.md`, command.stdin),
    await deps.artifacts.put(run.runId, `${phase}-${attempt}/environment.json`, environment),
  ];
  evidence.artifacts.push(...artifacts);
  const note = { type: "phase.agent", data: { ...report } } as const;
  const outlives = deps.runtime.engine !== undefined;
  return superviseAgent(context, {
    phase,
    backend,
    folders,
    access,
    egress,
    ...(outlives ? { before: { notes: 1, events: 0 } } : { note }),
    start: (listener, limits, signals) =>
      startJob(context, phase, {
        spec: {
          ...name,
          ...here,
          directory: project.directory,
          argv: command.argv,
          env: { ...egress?.env, ...command.env },
          ...secretsOf(backend),
          files: [...command.files, ...(session?.files ?? [])],
          ...(backend.sessionFolders === undefined ? {} : { keep: backend.sessionFolders }),
          stdin: command.stdin,
        },
        listener,
        limits,
        signals,
        told: { events: [{ ...note, phase, attempt }], artifacts },
      }),
  });
}

/**
 * Its output is told from the first byte again: the files that keep it are made anew, on whatever
 * machine this is, and of its events only those are written that are not there yet.
 */
async function rejoinAgent(
  context: PhaseContext,
  phase: AgentPhase,
  { backend, project }: AgentCalling,
  { access, egress }: WaysOut,
  place: JobPlace,
): Promise<Failure | undefined> {
  const { deps, run, attempt, lease } = context;
  const name = { runId: run.runId, phase, attempt };
  const here = deps.git.attemptFolders(run.runId, { phase, attempt });
  const keep = backend.sessionFolders;
  const written = await orLost(lease, eventsWritten(deps.runs, run.runId, { phase, attempt }));
  deps.logger.info("going on with a container", { containerId: place.containerId });
  return superviseAgent(context, {
    phase,
    backend,
    folders: foldersOfProject(deps.runtime.foldersInJob(here), project),
    access,
    egress,
    before: { notes: 1, events: Math.max(0, written - 1) },
    start: async (listener, limits, signals) =>
      deps.runtime.engine?.attach(
        place.containerId,
        { ...name, ...here, ...(keep === undefined ? {} : { keep }), ...secretsOf(backend) },
        listener,
        { ...limits(), keepAliveMs: Math.max(0, lease.trustedForMs()) },
        signals,
      ),
  });
}

function secretsOf({ secrets }: AgentBackend): Pick<JobSpec, "secrets"> {
  return secrets === undefined ? {} : { secrets };
}

async function promptOf(
  { run, findings, answers, comments }: PhaseContext,
  phase: AgentPhase,
  {
    files,
    project,
    folders,
  }: {
    readonly files: BaseFiles;
    readonly project: SpecKitProject;
    readonly folders: JobFolders;
  },
): Promise<AgentPrompt> {
  const asked = {
    phase,
    instructions: await readInstructions(run, files, project, phase),
    arguments: phase === "specify" ? run.request.specifyText : "",
    ...surroundingsOf(run, project, folders),
    findings: findingsInProject(findings, project.directory),
    answers: phase === "specify" ? answers : [],
    comments,
    mayAsk: asks(run, phase),
  };
  const skillNames = await readSkillNames(files, project.directory, textsOf(asked));
  return { ...asked, skillNames };
}

/** Whatever others than we have written of a prompt. */
function textsOf(prompt: Omit<AgentPrompt, "skillNames">): readonly string[] {
  return [
    prompt.instructions.text,
    prompt.arguments,
    ...[prompt.findings, prompt.answers, prompt.comments].map((list) => JSON.stringify(list)),
  ];
}
