import { failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import { MAX_QUESTION_ROUNDS } from "../../domain/questions.ts";
import { MAIN_DOCUMENT } from "../../domain/spec-kit/main-document.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import { findingsInRepository, outputOfProject } from "../../domain/spec-kit/project-output.ts";
import { summarize } from "../../domain/spec-kit/summary.ts";
import { openQuestions } from "../../domain/verify/open-questions.ts";
import { checksOf, verifyPhase } from "../../domain/verify/verify-phase.ts";
import type { GitRun } from "../../ports/git-workspace.ts";
import type { RunRecord } from "../../ports/run-record.ts";
import { orLost } from "../while-held.ts";
import { leftElsewhere } from "./left-elsewhere.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { commitAbout, takeTree } from "./take-tree.ts";

/** Takes the tree the agent left, checks it, commits it. */
export async function judgePhase(
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
  const file = `${featureDirectory}/${MAIN_DOCUMENT[phase]}`;
  // Kept by itself: people read it before they let the run go on.
  const document = `${phase}-${attempt}/${MAIN_DOCUMENT[phase]}`;
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
export function asks(run: RunRecord, phase: AgentPhase): boolean {
  return (
    phase === "specify" &&
    run.request.onQuestions === "pause" &&
    run.questionRound < MAX_QUESTION_ROUNDS
  );
}
