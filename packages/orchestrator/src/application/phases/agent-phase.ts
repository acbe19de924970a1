import { failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import { MAX_QUESTION_ROUNDS } from "../../domain/questions.ts";
import { skillName, skillPath } from "../../domain/skill.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { openQuestions } from "../../domain/verify/open-questions.ts";
import { checksOf, verifyPhase } from "../../domain/verify/verify-phase.ts";
import type { AgentBackend, AgentCommand, AgentPrompt } from "../../ports/agent-backend.ts";
import type { AttemptFolders, GitRun } from "../../ports/git-workspace.ts";
import type { RunRecord } from "../../ports/run-repository.ts";
import { gitRunOf } from "./git-run.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { superviseAgent } from "./supervise-agent.ts";

/**
 * One attempt of an agent phase: a fresh workspace, the agent in it, then our own judgement. The
 * agent's exit code only says that it is done; whether the phase succeeded is decided by the files.
 * The commit is ours, made from the tree it left, on a repository it could not write to.
 */
export async function agentPhase(context: PhaseContext, phase: AgentPhase): Promise<PhaseReport> {
  const { deps, run, attempt, signal, evidence } = context;
  const gitRun = gitRunOf(context);
  const folders = await deps.git.createAttempt(gitRun, { phase, attempt }, signal);
  const { backend, command } = await callOf(context, phase, gitRun, folders);
  evidence.artifacts.push(
    await deps.artifacts.put(run.runId, `${phase}-${attempt}/prompt.md`, command.stdin),
  );
  const failed = await superviseAgent(context, { phase, backend, command, folders });
  return failed === undefined ? judge(context, phase, gitRun) : { changed: false, failure: failed };
}

async function callOf(
  { deps, run, attempt, findings, answers, comments, signal }: PhaseContext,
  phase: AgentPhase,
  gitRun: GitRun,
  folders: AttemptFolders,
): Promise<{ readonly backend: AgentBackend; readonly command: AgentCommand }> {
  const backend = deps.backends.get(run.agent);
  if (backend === undefined) {
    throw new SpeckitError(
      "AGENT_NOT_STARTED",
      `This worker has no agent backend ${run.agent}; it has ${[...deps.backends.keys()].join(", ")}`,
    );
  }
  const path = skillPath(phase);
  const text = await (await deps.git.baseFiles(gitRun, signal)).read(path);
  if (text === undefined) {
    throw new SpeckitError("SPEC_KIT_LAYOUT_UNSUPPORTED", `${run.repository} has no ${path}`);
  }
  const prompt: AgentPrompt = {
    phase,
    skill: { name: skillName(phase), path, text },
    arguments: phase === "specify" ? run.request.specifyText : "",
    featureDirectory: run.featureDirectory ?? "",
    findings,
    answers: phase === "specify" ? answers : [],
    comments,
    mayAsk: asks(run, phase),
  };
  return {
    backend,
    command: backend.command(prompt, { runId: run.runId, phase, attempt, ...folders }),
  };
}

/** Takes the tree the agent left, checks it, commits it. */
async function judge(
  { deps, run, attempt, signal, evidence }: PhaseContext,
  phase: AgentPhase,
  gitRun: GitRun,
): Promise<PhaseReport> {
  const featureDirectory = run.featureDirectory ?? "";
  const harvest = await deps.git.harvest(gitRun, { phase, attempt, featureDirectory }, signal);
  const findings = verifyPhase(phase, harvest);
  const said = phase === "specify" ? evidence.lastMessage : undefined;
  const questions = openQuestions(harvest, said);
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
  const committed = await harvest.commit({
    message: commitMessage(phase, run.runId, featureDirectory),
    dateSeconds: Math.floor(run.createdAt.getTime() / 1000) + run.phaseIx,
  });
  await deps.reach?.("tree.committed", { runId: run.runId, phase, attempt });
  evidence.artifacts.push(
    await deps.artifacts.put(run.runId, `${phase}-${attempt}/changes.patch`, committed.patch),
  );
  const file = `${featureDirectory}/${MAIN_FILE[phase]}`;
  // Kept by itself: people read it before they let the run go on.
  const document = `${phase}-${attempt}/${MAIN_FILE[phase]}`;
  evidence.artifacts.push(await deps.artifacts.put(run.runId, document, harvest.read(file) ?? ""));
  return {
    changed: committed.tipSha !== gitRun.tipSha,
    facts: { tipSha: committed.tipSha },
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

function commitMessage(phase: AgentPhase, runId: string, featureDirectory: string): string {
  return `docs: ${phase} ${featureDirectory}\n\nSpeckit-Run: ${runId}\nSpeckit-Phase: ${phase}\n`;
}
