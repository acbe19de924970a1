import type { Phase } from "../domain/phase.ts";

/**
 * Places where a crash could hurt, each with the race it is for. A test stops or kills a worker
 * there; without one they cost nothing. Every two neighbours lie on two sides of something that
 * becomes true: a commit, a confirm, a process, a push.
 */
export const FAILPOINTS = {
  "request.stored": "The run's row is there, its wake-up and the request's ack are not.",
  "request.woken": "The wake-up is confirmed; the request comes again and must find its run.",
  "command.stored": "A command holds, but nobody has been told to look at the run.",
  "run.claimed": "The epoch is raised, nothing was begun: the lease alone keeps others away.",
  "attempt.opened": "An attempt is open that was never started.",
  "ticket.used": "The attempt may have started something, for all that others can tell.",
  "container.created": "A container is there that no row names.",
  "container.placed": "The row names a container that was never started.",
  "agent.started": "An agent works whose supervisor is gone.",
  "agent.output": "Reading what an agent prints ends its supervisor, each time anew.",
  "agent.exited": "An agent's work is done and nobody has looked at it.",
  "tree.committed": "Our commit is made in a folder that may be lost.",
  "push.done": "The branch is at the remote, and no row says so.",
  "pull_request.looked": "Nobody has found a pull request: two may want to create it.",
  "pull_request.created": "The pull request is there, and no row knows its number.",
  "pull_request.decorated": "It has its labels and reviewers, and still no row knows it.",
  "result.committing": "Everything is ready for the commit that makes it true.",
  "result.committed": "The result holds, its worker does not know what comes next.",
  "run.released": "The lease is given back, its wake-up is not published yet.",
  "event.published": "An event is confirmed, the watermark is still before it: it is sent again.",
  "cleanup.removed": "The run's folders are gone, its closing event is not written.",
  "cleanup.finished": "The run is closed, its delivery is not acked.",
  "sweep.picked": "The sweeper has put the next look off, and wakes nobody.",
  "delivery.judged": "What must follow a delivery is known, and neither published nor acked.",
  "delivery.published": "The successor is confirmed, its predecessor is not acked: there are two.",
} as const;

export type Failpoint = keyof typeof FAILPOINTS;

/** Called at a failpoint: may take its time, throw, never answer, or end the process. */
export type ReachFailpoint = (
  point: Failpoint,
  at: { readonly runId?: string; readonly phase?: Phase; readonly attempt?: number },
) => Promise<void>;
