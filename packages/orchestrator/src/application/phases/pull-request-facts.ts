import { AGENT_PHASES, type Phase } from "../../domain/phase.ts";
import { changedFiles } from "../../domain/pull-request/changed-files.ts";
import type { PullRequestFacts } from "../../domain/pull-request/pull-request-facts.ts";
import { MAIN_DOCUMENT } from "../../domain/spec-kit/main-document.ts";
import type { AttemptRecord, RunRecord } from "../../ports/run-record.ts";
import { runResultOf } from "../read-run-result.ts";
import { orLost } from "../while-held.ts";
import { gitRunOf } from "./git-run.ts";
import type { PhaseContext } from "./phase-work.ts";

/** Not over when it is written. */
const LATER: ReadonlySet<Phase> = new Set(["pull_request", "cleanup"]);

/** What the pull request says, from the rows: of the run, and of those it goes on from. */
export async function pullRequestFacts(context: PhaseContext): Promise<PullRequestFacts> {
  const { deps, run, signal } = context;
  const attempts = await attemptsOfLine(context);
  const gitRun = gitRunOf(context);
  const { changes } =
    gitRun.tipSha === gitRun.baseSha ? { changes: [] } : await deps.git.changes(gitRun, signal);
  const { phases, openQuestions, assumptions, usage, diff, summary } = runResultOf(
    run,
    attempts,
    [],
  );
  const { runId, repository, branch, featureDirectory, request } = run;
  const succeeded = new Set(
    attempts.filter((row) => row.state === "succeeded").map((row) => row.phase),
  );
  return {
    ...{ runId, repository, branch, featureDirectory, phases, diff },
    specifyText: request.specifyText,
    baseBranch: run.baseBranch ?? "",
    baseSha: run.baseSha ?? "",
    headSha: run.tipSha ?? "",
    summary: summary ?? null,
    openQuestions: openQuestions.map(({ text }) => text),
    assumptions,
    phaseFiles: AGENT_PHASES.filter((phase) => succeeded.has(phase)).map((phase) => ({
      phase,
      path: `${featureDirectory ?? ""}/${MAIN_DOCUMENT[phase]}`,
    })),
    changedFiles: changedFiles(changes),
    agent: { backend: run.agent, model: request.agent?.model ?? null },
    usage: attempts.some((row) => row.usage !== null) ? usage : null,
  };
}

/** Attempts of the runs this one goes on from, and its own: the work was done by all of them. */
async function attemptsOfLine({ deps, run, lease }: PhaseContext): Promise<AttemptRecord[]> {
  const attempts: AttemptRecord[] = [];
  for (let at: RunRecord | undefined = run; at !== undefined; ) {
    const own = await orLost(lease, deps.runs.attemptsOf(at.runId));
    attempts.unshift(...own.filter(({ attempt, phase }) => attempt > 0 && !LATER.has(phase)));
    const before: string | null = at.retryOf;
    at = before === null ? undefined : await orLost(lease, deps.runs.findRun(before));
  }
  return attempts;
}
