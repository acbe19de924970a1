import { DEFAULT_SETTINGS, type Hold, type JobSpec } from "@speckit/orchestrator";
import type { RunRows, StartedJob } from "@speckit/orchestrator/testing";
import { holdsOf } from "../ports/holds-of.ts";
import type { Process } from "../world/process.ts";
import type { Scheduler } from "../world/scheduler.ts";
import type { Services } from "../world/services.ts";
import { Violation } from "../world/violation.ts";
import { checkEnd } from "./check-end.ts";
import { checkPullRequests } from "./check-pull-requests.ts";
import { checkRemote, type SeenRemote, seenRemote } from "./check-remote.ts";
import { checkRowChange, type Statement } from "./check-row-change.ts";
import { refuse } from "./refuse.ts";
import { type Replayed, replayEvents, replayed } from "./replay-events.ts";

/** How long a worker may act on a lease, from when it asked for it: five sixths of its length. */
const TRUST_MS = (DEFAULT_SETTINGS.leaseMs * 5) / 6;
/** An agent that is told to end gets this long, and a little more passes until it is seen. */
const ENDING_MS = 2_500;
/** A step of the server's clock makes leases wrong for as long as those last that were there. */
const AFTER_CLOCK_STEP_MS = 70_000;

interface Agent {
  readonly spec: JobSpec;
  readonly job: StartedJob;
  readonly process: Omit<Process, "deps">;
  readonly epoch: number;
}

/** What a run looked like when the oracle last looked, and what it has learned of it. */
interface Known {
  rows: RunRows;
  readonly replayed: Replayed;
  readonly attemptsSeen: Set<string>;
  /** Its owner has given it back to rest until a message comes: at once, or when it is due. */
  awaitsMessage: "at_once" | "when_due" | undefined;
}

/**
 * Looks at everything after every step, from outside: rows, messages, agents, the remote. It shares
 * no guard with what it watches: what must hold is said here in its own words.
 */
export interface Oracle {
  /** A statement has its effect in this step. */
  readonly onStatement: (call: Call) => void;
  /** Its answer has reached the process that asked. */
  readonly onAnswer: (call: Call & { readonly answer: unknown; readonly sentMs: number }) => void;
  readonly onAgentStart: (job: StartedJob, process: Omit<Process, "deps">) => void;
  /** A process asks the git host to take a run's commits. */
  readonly onPush: (runId: string, process: Omit<Process, "deps">) => void;
  readonly onClockStep: () => void;
  /** A wake-up comes into the broker in this step. */
  readonly onWakeUp: () => void;
  /** Called when everything that the last step has set off has come to rest. */
  readonly look: () => void;
  /** What must hold when nothing happens any more. */
  readonly lookAtEnd: () => void;
  /** Runs that are not closed. */
  readonly openRuns: () => number;
  readonly closedRuns: () => number;
  /** How many faults there were: each may cost a message more. */
  faults: number;
  /** How often the client has asked for something: each is a message. */
  asked: number;
  /** A worker has died: between a commit that lets a run wait and its message, that one is not made. */
  hasDied: boolean;
  /** Nothing so far may lose a message: no process but dead ones has lost its connection. */
  keepsMessages: boolean;
  readonly starts: () => number;
}

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly process: Omit<Process, "deps">;
}

export function oracle(scheduler: Scheduler, services: Services): Oracle {
  const { database, broker } = services;
  const known = new Map<string, Known>();
  /** Until when the owner of an epoch may act, by `runId/epoch`. */
  const trust = new Map<string, number>();
  const owners = new Map<string, Omit<Process, "deps">>();
  const starts = new Map<string, number>();
  let agents: Agent[] = [];
  let statement: Statement | undefined;
  let hasNewMessages = false;
  /** What was seen in the middle of a step. */
  let seen: unknown;
  let clockStepMs = Number.NEGATIVE_INFINITY;
  const remote: SeenRemote = seenRemote(services.remotes);

  const trustOf = (hold: Hold): number => trust.get(`${hold.runId}/${hold.epoch}`) ?? 0;

  function trustUntil(hold: Hold, ms: number): void {
    trust.set(`${hold.runId}/${hold.epoch}`, Math.max(ms, trustOf(hold)));
  }

  /** A run that was taken from somebody who still trusts the lease: why that may be. */
  function checkTakeover(before: RunRows, after: RunRows): void {
    const { runId, epoch, leaseOwner } = before.run;
    const owner = owners.get(`${runId}/${epoch}`);
    const isOver =
      leaseOwner === null ||
      leaseOwner === after.run.leaseOwner ||
      owner === undefined ||
      !owner.isAlive ||
      trustOf({ runId, epoch }) <= scheduler.nowMs();
    const isExplained =
      owner?.session.isHeld === false || scheduler.nowMs() - clockStepMs < AFTER_CLOCK_STEP_MS;
    refuse(
      !isOver && !isExplained,
      "live-owner",
      `run ${runId}: taken from ${owner?.name}, which lives, has its session and trusts its lease`,
    );
  }

  function lookAtRun(rows: RunRows): void {
    const { runId } = rows.run;
    const last = known.get(runId);
    if (last?.rows === rows) {
      return;
    }
    if (last === undefined) {
      const fresh = {
        rows,
        replayed: replayed(rows),
        attemptsSeen: new Set<string>(),
        awaitsMessage: undefined,
      };
      known.set(runId, fresh);
      replayEvents(fresh.replayed, rows);
      return;
    }
    checkRowChange(last.rows, rows, statement, database.now(), last.attemptsSeen);
    if (rows.run.epoch !== last.rows.run.epoch) {
      checkTakeover(last.rows, rows);
    }
    refuse(
      rows.run.sentSeq > services.confirmedSeq(runId),
      "events-confirmed",
      `run ${runId}: the watermark is at ${rows.run.sentSeq}, confirmed are ${services.confirmedSeq(runId)}`,
    );
    const { leaseOwner, parkedFor, outcome } = rows.run;
    const gives =
      statement?.name === "releaseRun"
        ? "at_once"
        : statement?.name === "commitAttempt"
          ? "when_due"
          : last.awaitsMessage;
    const rests = leaseOwner === null && parkedFor === null && outcome === null;
    last.awaitsMessage = rests ? gives : undefined;
    last.rows = rows;
    replayEvents(last.replayed, rows);
  }

  function lookAtAgents(): void {
    if (agents.length === 0) {
      return;
    }
    agents = agents.filter(({ job }) => job.isAlive());
    for (const { spec, process, epoch } of agents) {
      refuse(
        scheduler.nowMs() > trustOf({ runId: spec.runId, epoch }) + ENDING_MS,
        "agent-outlives-lease",
        `run ${spec.runId}: ${spec.phase} ${spec.attempt} of ${process.name} lives on without its lease`,
      );
    }
  }

  function lookAtMessages(): void {
    if (!hasNewMessages) {
      return;
    }
    hasNewMessages = false;
    const counts = new Map<string, number>();
    for (const { wakeUp } of broker.wakeUps()) {
      counts.set(wakeUp.runId, (counts.get(wakeUp.runId) ?? 0) + 1);
    }
    for (const [runId, count] of counts) {
      const sweeps = database.rowsOf(runId)?.run.sweeps ?? 0;
      const most = 3 + self.faults + self.asked + sweeps;
      refuse(count > most, "wake-ups-bounded", `run ${runId}: ${count} wake-ups, most ${most}`);
    }
  }

  /**
   * A run that its owner has given back has a wake-up somewhere: what must follow a delivery is
   * confirmed before it is acked, so a crash loses none. (After the outcome the sweeper alone looks.)
   */
  function lookForLostMessages(): void {
    if (!self.keepsMessages) {
      return;
    }
    for (const [runId, { awaitsMessage }] of known) {
      refuse(
        (awaitsMessage === "at_once" || (awaitsMessage === "when_due" && !self.hasDied)) &&
          !broker.wakeUps().some(({ wakeUp }) => wakeUp.runId === runId),
        "message-kept",
        `run ${runId} rests, and no message will wake it`,
      );
    }
  }

  function judgeStart(job: StartedJob, process: Omit<Process, "deps">): void {
    const { spec } = job;
    const { runId, phase, attempt } = spec;
    const what = `run ${runId}: ${phase} ${attempt} on ${process.name}`;
    const key = `${runId}/${phase}/${attempt}`;
    starts.set(key, (starts.get(key) ?? 0) + 1);
    refuse((starts.get(key) ?? 0) > 1, "one-start", `${what}: started twice`);
    const rows = database.rowsOf(runId);
    const row = rows?.attempts.find((one) => one.phase === phase && one.attempt === attempt);
    if (rows === undefined || row === undefined) {
      refuse(true, "known-attempt", `${what}: there is no such attempt`);
      return;
    }
    refuse(row.ticketUsedAt === null, "ticket", `${what}: started without its ticket`);
    const { epoch } = row;
    refuse(
      scheduler.nowMs() > trustOf({ runId, epoch }),
      "start-without-lease",
      `${what}: started when its lease could not be trusted any more`,
    );
    const isOwner = rows.run.epoch === epoch;
    const isDone = rows.attempts.some((one) => one.phase === phase && one.state === "succeeded");
    refuse(isOwner && isDone, "start-after-success", `${what}: the phase has succeeded`);
    refuse(isOwner && rows.run.outcome !== null, "start-after-end", `${what}: the run has ended`);
    const rival = agents.find(
      (one) => one.spec.runId === runId && one.job.isAlive() && one.epoch === rows.run.epoch,
    );
    refuse(
      isOwner && rival !== undefined,
      "one-agent",
      `${what}: ${rival?.spec.phase} ${rival?.spec.attempt} still works`,
    );
    agents.push({ spec, job, process, epoch });
  }

  function countRuns(counts: (run: RunRows["run"]) => boolean): number {
    let count = 0;
    for (const { run } of database.all()) {
      count += counts(run) ? 1 : 0;
    }
    return count;
  }

  const self: Oracle = {
    faults: 0,
    asked: 0,
    hasDied: false,
    keepsMessages: true,
    onStatement({ name, args, process }) {
      statement = { name, holds: holdsOf(name, args), process };
    },
    onAnswer({ name, args, answer, sentMs, process }) {
      if (name === "claimRun") {
        const claim = answer as { claimed: boolean; run?: Hold };
        if (claim.claimed && claim.run !== undefined) {
          trustUntil(claim.run, sentMs + TRUST_MS);
          owners.set(`${claim.run.runId}/${claim.run.epoch}`, process);
        }
      }
      if (name === "renewLeases") {
        for (const { runId } of answer as readonly Hold[]) {
          const hold = holdsOf(name, args).find((one) => one.runId === runId);
          if (hold !== undefined) {
            trustUntil(hold, sentMs + TRUST_MS);
          }
        }
      }
    },
    onAgentStart(job, process) {
      try {
        judgeStart(job, process);
      } catch (error) {
        // Thrown here it would be the supervisor's: it is told when everybody has come to rest.
        seen ??= error;
      }
    },
    onPush(runId, process) {
      const mayUntilMs = [...owners]
        .filter(([key, owner]) => owner === process && key.startsWith(`${runId}/`))
        .map(([key]) => trust.get(key) ?? 0);
      if (scheduler.nowMs() > Math.max(0, ...mayUntilMs)) {
        const what = `run ${runId}: ${process.name} pushes when its lease cannot be trusted any more`;
        seen ??= new Violation("push-without-lease", what);
      }
    },
    onWakeUp() {
      hasNewMessages = true;
    },
    onClockStep() {
      clockStepMs = scheduler.nowMs();
    },
    look() {
      if (seen !== undefined) {
        throw seen;
      }
      for (const rows of database.all()) {
        lookAtRun(rows);
      }
      statement = undefined;
      lookAtAgents();
      checkRemote(remote, services.remotes, known);
      checkPullRequests(services);
      lookAtMessages();
      lookForLostMessages();
    },
    lookAtEnd: () =>
      checkEnd(
        services,
        [...known.values()].map(({ rows }) => rows),
      ),
    openRuns: () => countRuns((run) => run.cleanedAt === null),
    closedRuns: () => countRuns((run) => run.cleanedAt !== null),
    starts: () => starts.size,
  };
  return self;
}
