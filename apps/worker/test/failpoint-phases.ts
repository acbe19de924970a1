import type { AgentPhase, Failpoint, Phase } from "@speckit/orchestrator";

const AGENT = ["specify", "plan", "tasks"] as const;

/** The phases of the default pipeline, in order. */
export const STARTED = ["prepare", ...AGENT, "publish", "pull_request"] as const;

/** What a request asks for so that its run comes by this phase, and carries out no agent after it. */
export function agentPhasesFor(phase: Phase | undefined): readonly AgentPhase[] {
  const names: readonly (Phase | undefined)[] = AGENT;
  return AGENT.slice(0, Math.max(1, names.indexOf(phase) + 1));
}

/**
 * Every failpoint with the phases it can be reached in; `[]`: it belongs to no phase. Complete by
 * its type: a failpoint that is added gets its tests, or they do not compile.
 */
export const PHASES_OF: Readonly<Record<Failpoint, readonly Phase[]>> = {
  "request.stored": [],
  "request.woken": [],
  "command.stored": [],
  "run.claimed": [],
  "attempt.opened": STARTED,
  "ticket.used": [...AGENT, "publish"],
  "container.created": AGENT,
  "container.placed": AGENT,
  "agent.started": AGENT,
  "agent.output": AGENT,
  "agent.exited": AGENT,
  "tree.committed": AGENT,
  "push.done": ["publish"],
  "pull_request.looked": ["pull_request"],
  "pull_request.created": ["pull_request"],
  "pull_request.decorated": ["pull_request"],
  "result.committing": STARTED,
  "result.committed": STARTED,
  "run.released": [],
  "event.published": [],
  "cleanup.removed": ["cleanup"],
  "cleanup.finished": ["cleanup"],
  "sweep.picked": [],
  "delivery.judged": [],
  "delivery.published": [],
};

/** Those that no process runtime comes by. */
export const OF_CONTAINERS: readonly Failpoint[] = ["container.created", "container.placed"];

/** Those that a run comes by whose repository has a pull-request host. */
export const OF_PULL_REQUESTS = [
  "pull_request.looked",
  "pull_request.created",
  "pull_request.decorated",
] as const satisfies readonly Failpoint[];

const entries = Object.entries(PHASES_OF) as readonly (readonly [Failpoint, readonly Phase[]])[];

/** Those that a process runtime comes by with a repository that has none. */
export const FAILPOINTS_WITH_PHASES = entries.filter(
  ([point]) => ![...OF_CONTAINERS, ...OF_PULL_REQUESTS].includes(point),
);
