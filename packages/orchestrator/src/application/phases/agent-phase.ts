import { type Failure, failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import { MAX_QUESTION_ROUNDS } from "../../domain/questions.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import {
  findingsInProject,
  findingsInRepository,
  outputOfProject,
} from "../../domain/spec-kit/project-output.ts";
import { summarize } from "../../domain/spec-kit/summary.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { openQuestions } from "../../domain/verify/open-questions.ts";
import { checksOf, verifyPhase } from "../../domain/verify/verify-phase.ts";
import type { AgentBackend, AgentPrompt } from "../../ports/agent-backend.ts";
import type { AttemptFolders, BaseFiles, GitRun } from "../../ports/git-workspace.ts";
import type { RunRecord } from "../../ports/run-repository.ts";
import { orLost } from "../while-held.ts";
import { agentReport } from "./agent-report.ts";
import { earlierSession } from "./agent-session.ts";
import { foldersOfProject, laidOverFor, surroundingsOf } from "./agent-surroundings.ts";
import { gitRunOf } from "./git-run.ts";
import { keepPartialWork } from "./keep-partial-work.ts";
import { leftElsewhere } from "./left-elsewhere.ts";
import { openModelAccess } from "./model-access.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { readSkillNames } from "./read-skill-names.ts";
import { readInstructions, readProject } from "./spec-kit-project.ts";
import { superviseAgent } from "./supervise-agent.ts";
import { commitAbout, takeTree } from "./take-tree.ts";

/**
 * One attempt of an agent phase: a fresh workspace, the agent in it, then our own judgement. The
 * agent's exit code only says that it is done; whether the phase succeeded is decided by the files.
 * The commit is ours, made from the tree it left, on a repository it could not write to.
 */
export async function agentPhase(context: PhaseContext, phase: AgentPhase): Promise<PhaseReport> {
  const { deps, run, attempt, signal, evidence } = context;
  const backend = backendOf(context);
  const gitRun = gitRunOf(context);
  const files =
    run.specKit?.isNew === true
      ? await deps.git.tipFiles(gitRun, signal)
      : await deps.git.baseFiles(gitRun, signal);
  // A run that was prepared before projects were kept finds its own again.
  const project = run.specKit ?? (await readProject(run, files, deps.settings));
  const laidOver = laidOverFor(run, project, phase);
  const folders = foldersOfProject(
    await deps.git.createAttempt(gitRun, { phase, attempt, laidOver }, signal),
    project,
  );
  const prompt = await promptOf(context, phase, { files, project, folders });
  const session = await earlierSession(context, phase, backend);
  let failed: Failure | undefined;
  {
    await using access = await openModelAccess(context, phase, backend);
    const command = backend.command(prompt, {
      runId: run.runId,
      phase,
      attempt,
      ...folders,
      choice: run.request.agent ?? {},
      sessionId: session?.sessionId,
      access,
    });
    const report = await agentReport(context, { backend, prompt, command, project });
    evidence.artifacts.push(
      await deps.artifacts.put(run.runId, `${phase}-${attempt}/prompt.md`, command.stdin),
      await deps.artifacts.put(
        run.runId,
        `${phase}-${attempt}/environment.json`,
        `${JSON.stringify(report, null, 2)}\n`,
      ),
    );
    failed = await superviseAgent(context, {
      phase,
      backend,
      command,
      session,
      folders,
      access,
      report,
    });
  }
  const report: PhaseReport =
    failed === undefined
      ? await judge(context, phase, gitRun, project)
      : { changed: false, failure: failed };
  if (report.failure !== undefined && report.openQuestions === undefined) {
    await keepPartialWork(context, phase, gitRun, project);
  }
  return report;
}

function backendOf({ deps, run }: PhaseContext): AgentBackend {
  const backend = deps.backends.get(run.agent);
  if (backend === undefined) {
    throw new SpeckitError(
      "AGENT_NOT_STARTED",
      `This worker has no agent backend ${run.agent}; it has ${[...deps.backends.keys()].join(", ")}`,
    );
  }
  return backend;
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
    readonly folders: AttemptFolders;
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

/** Takes the tree the agent left, checks it, commits it. */
async function judge(
  context: PhaseContext,
  phase: AgentPhase,
  gitRun: GitRun,
  project: SpecKitProject,
): Promise<PhaseReport> {
  const { deps, run, attempt, evidence } = context;
  const featureDirectory = run.featureDirectory ?? "";
  const projectDirectory = project.directory;
  const harvest = await takeTree(context, phase, gitRun, project);
  await tellWhereItLeft(context, phase, leftElsewhere(harvest.head, gitRun));
  const output = outputOfProject(harvest, project);
  const findings = findingsInRepository(verifyPhase(phase, output), projectDirectory);
  const said = phase === "specify" ? evidence.lastMessage : undefined;
  const questions = openQuestions(output, said);
  if (findings.length > 0) {
    const first = findings[0];
    return {
      changed: false,
      failure: failure(
        "POSTCONDITION_FAILED",
        `${phase}: ${findings.length} of ${checksOf(phase).length} checks failed, first ${first?.check} (${first?.path}): expected ${first?.expected}`,
        { findings },
      ),
    };
  }
  if (asks(run, phase) && questions.length > 0) {
    return {
      changed: false,
      openQuestions: questions,
      failure: failure(
        "QUESTIONS_OPEN",
        `${phase}: ${questions.length} open question${questions.length === 1 ? "" : "s"}`,
      ),
    };
  }
  const committed = await harvest.commit(commitAbout(context, phase));
  await deps.reach?.("tree.committed", { runId: run.runId, phase, attempt });
  evidence.artifacts.push(
    await deps.artifacts.put(run.runId, `${phase}-${attempt}/changes.patch`, committed.patch),
  );
  const summary = summarize(output);
  const file = `${featureDirectory}/${MAIN_FILE[phase]}`;
  // Kept by itself: people read it before they let the run go on.
  const document = `${phase}-${attempt}/${MAIN_FILE[phase]}`;
  evidence.artifacts.push(await deps.artifacts.put(run.runId, document, harvest.read(file) ?? ""));
  return {
    changed: committed.tipSha !== gitRun.tipSha,
    facts: { tipSha: committed.tipSha, ...(summary === undefined ? {} : { summary }) },
    ...(committed.checkpoint === undefined ? {} : { checkpoint: committed.checkpoint }),
    openQuestions: questions,
    told: {
      checksPassed: checksOf(phase).length,
      file,
      artifact: document,
      files: harvest.changed.length,
      commit: committed.tipSha,
    },
  };
}

/** A warning among the run's events: it is no failure, and it explains what may be one. */
async function tellWhereItLeft(
  { deps, lease, attempt, onEvents }: PhaseContext,
  phase: AgentPhase,
  text: string | undefined,
): Promise<void> {
  if (text !== undefined) {
    const warning = { type: "phase.warning", phase, attempt, data: { text } } as const;
    await orLost(lease, deps.runs.appendEvents(lease.hold, [warning]));
    onEvents();
  }
}

/**
 * Whether open questions stop the phase. Only the specification asks, and only so often: what is
 * still open after that is recorded, and the agent's assumptions hold.
 */
function asks(run: RunRecord, phase: AgentPhase): boolean {
  return (
    phase === "specify" &&
    run.request.onQuestions === "pause" &&
    run.questionRound < MAX_QUESTION_ROUNDS
  );
}

const MAIN_FILE: Readonly<Record<AgentPhase, string>> = {
  specify: "spec.md",
  plan: "plan.md",
  tasks: "tasks.md",
};
