import {
  AGENT_PHASES,
  type Phase,
  type PipelinePhase,
  type RunRepository,
} from "@speckit/orchestrator";

/**
 * Pipelines of any length over the real store, which knows each phase of a run by its name and lets
 * it succeed once. The use cases see agent phases in turn (`specify, plan, tasks, specify, …`); the
 * rows of a repeated one carry its round in their name (`specify 2`). So a run of twenty phases is
 * one run, one claim and one outcome, and each phase costs the statements and commits it always does.
 *
 * For runs that stay with one owner from start to end: the round is counted in memory. Five phases
 * are the default pipeline, and nothing is renamed.
 */
export function stretchedRuns(runs: RunRepository, phases: number): RunRepository {
  const pipeline = stretchedPipeline(phases);
  /** The name under which the open attempt of a run is stored. */
  const open = new Map<string, Phase>();
  const rounds = new Map<string, number>();
  const storedName = (runId: string, phase: Phase): Phase => open.get(runId) ?? phase;

  return {
    ...runs,
    insertRun: (run) => runs.insertRun({ ...run, pipeline }),
    async claimRun(claim) {
      const result = await runs.claimRun(claim);
      return result.claimed ? { ...result, attempts: result.attempts.map(asKnown) } : result;
    },
    attemptsOf: async (runId) => (await runs.attemptsOf(runId)).map(asKnown),
    async startAttempt(hold, phase) {
      const key = `${hold.runId} ${phase}`;
      const round = (rounds.get(key) ?? 0) + 1;
      rounds.set(key, round);
      const name = round === 1 ? phase : (`${phase} ${round}` as Phase);
      open.set(hold.runId, name);
      return runs.startAttempt(hold, name);
    },
    useStartTicket: (hold, phase, attempt) =>
      runs.useStartTicket(hold, storedName(hold.runId, phase), attempt),
    async commitAttempt(hold, commit) {
      const { end } = commit;
      const outcome = await runs.commitAttempt(
        hold,
        end === undefined
          ? commit
          : { ...commit, end: { ...end, phase: storedName(hold.runId, end.phase) } },
      );
      open.delete(hold.runId);
      return outcome;
    },
    async finishCleanup(hold, attempt) {
      for (const phase of new Set(pipeline)) {
        rounds.delete(`${hold.runId} ${phase}`);
      }
      rounds.delete(`${hold.runId} cleanup`);
      open.delete(hold.runId);
      return runs.finishCleanup(hold, attempt);
    },
  };
}

/** `prepare`, agent phases in turn, `publish`; of one or two phases there are only agent phases. */
function stretchedPipeline(phases: number): readonly PipelinePhase[] {
  const agentPhases = (count: number): PipelinePhase[] =>
    Array.from({ length: count }, (_, ix) => AGENT_PHASES[ix % AGENT_PHASES.length] ?? "specify");
  return phases < 3 ? agentPhases(phases) : ["prepare", ...agentPhases(phases - 2), "publish"];
}

function asKnown<T extends { readonly phase: Phase }>(attempt: T): T {
  return { ...attempt, phase: attempt.phase.split(" ", 1)[0] as Phase };
}
