import type { RunRepository, TransportHandlers } from "@speckit/orchestrator";
import type { MemoryDatabase, RunRow } from "@speckit/orchestrator/testing";
import { EPOCH_MS } from "../world/services.ts";
import type { Mutations } from "./mutations.ts";

/** A bug that was put in on purpose, and what it is to be caught by. */
export interface Bug {
  readonly name: string;
  /** A schedule that shows it. */
  readonly seed: number;
  readonly mutations: Mutations;
  /** Any of these. */
  readonly caughtBy: readonly string[];
}

const YEAR_MS = 365 * 86_400_000;

/** Writes past every guard. */
function edit(database: MemoryDatabase, runId: string, change: (run: RunRow) => Partial<RunRow>) {
  database.change(runId, (draft) => {
    draft.run = { ...draft.run, ...change(draft.run) };
  });
}

/** A bug in the repository: some of its methods are others. */
function inRuns(
  change: (
    inner: RunRepository,
    at: Parameters<NonNullable<Mutations["runs"]>>[1],
  ) => Partial<RunRepository>,
): Mutations {
  return { runs: (inner, at) => ({ ...inner, ...change(inner, at) }) };
}

/** The lease of a run is free for whoever asks now. */
function freeLease(database: MemoryDatabase, runId: string): void {
  edit(database, runId, () => ({ leaseOwner: null, leaseUntil: null }));
}

export const BUGS: readonly Bug[] = [
  {
    name: "ack before confirm",
    seed: 14,
    caughtBy: ["message-kept"],
    mutations: {
      transport: (inner) => ({
        ...inner,
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
        consume: (handlers, options) => {
          const onWakeUp: TransportHandlers["onWakeUp"] = async (wakeUp, delivery) => {
            const verdict = await handlers.onWakeUp(wakeUp, delivery);
            if (verdict.do === "publish_and_ack") {
              inner.publishWakeUp(verdict.wakeUp, verdict.route).catch(() => {});
              return { do: "ack" };
            }
            return verdict;
          };
          return inner.consume({ ...handlers, onWakeUp }, options);
        },
      }),
    },
  },
  {
    name: "watermark moved before the confirm",
    seed: 1,
    caughtBy: ["events-confirmed"],
    mutations: {
      transport: (inner) => ({
        ...inner,
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
        publishEvent: async (event) => void inner.publishEvent(event).catch(() => {}),
      }),
    },
  },
  {
    name: "epoch guard missing when events are written",
    seed: 26,
    caughtBy: ["fencing"],
    mutations: inRuns((inner, { services }) => ({
      appendEvents: (hold, events) => {
        const epoch = services.database.rowsOf(hold.runId)?.run.epoch ?? hold.epoch;
        return inner.appendEvents({ ...hold, epoch }, events);
      },
    })),
  },
  {
    name: "expired lease still renewed by whoever had it",
    seed: 232,
    caughtBy: ["fencing"],
    mutations: inRuns((inner, { services }) => ({
      renewLeases: (holds, leaseMs) =>
        inner.renewLeases(
          holds.map((hold) => ({
            ...hold,
            epoch: services.database.rowsOf(hold.runId)?.run.epoch ?? hold.epoch,
          })),
          leaseMs,
        ),
    })),
  },
  {
    name: "attempt number reused",
    seed: 1,
    caughtBy: ["attempts-only-grow", "ended-attempts-stay"],
    mutations: inRuns((inner, { services }) => ({
      startAttempt: (hold, phase) => {
        services.database.change(hold.runId, (draft) => {
          draft.attempts = draft.attempts.filter(
            (row) => row.phase !== phase || row.state !== "interrupted",
          );
        });
        return inner.startAttempt(hold, phase);
      },
    })),
  },
  {
    name: "lease by the worker's own clock",
    seed: 8,
    caughtBy: ["live-owner"],
    mutations: inRuns((inner, { services, scheduler, process }) => ({
      claimRun: (claim) => {
        const nowMs = EPOCH_MS + scheduler.nowMs() + process.skewMs;
        const leaseUntil = services.database.rowsOf(claim.runId)?.run.leaseUntil ?? null;
        if (leaseUntil !== null && leaseUntil < nowMs) {
          freeLease(services.database, claim.runId);
        }
        return inner.claimRun(claim);
      },
    })),
  },
  {
    name: "takeover without asking whether the owner is alive",
    seed: 22,
    caughtBy: ["live-owner"],
    mutations: inRuns((inner, { services }) => ({
      claimRun: (claim) => {
        const run = services.database.rowsOf(claim.runId)?.run;
        if (claim.isRedelivered === true && run?.cleanedAt === null) {
          freeLease(services.database, claim.runId);
        }
        return inner.claimRun(claim);
      },
    })),
  },
  {
    name: "claimed before it is due",
    seed: 1,
    caughtBy: ["not-before-due"],
    mutations: inRuns((inner, { services }) => ({
      claimRun: async (claim) => {
        const run = services.database.rowsOf(claim.runId)?.run;
        if (run === undefined || run.cleanedAt !== null) {
          return inner.claimRun(claim);
        }
        const { dueAt } = run;
        edit(services.database, claim.runId, () => ({ dueAt: 0 }));
        const result = await inner.claimRun(claim);
        edit(services.database, claim.runId, () => ({ dueAt }));
        return result;
      },
    })),
  },
  {
    name: "cancel ignored at the outcome",
    seed: 1,
    caughtBy: ["cancel-wins"],
    mutations: inRuns((inner, { services }) => ({
      commitAttempt: async (hold, commit) => {
        const run = services.database.rowsOf(hold.runId)?.run;
        if (commit.outcome === undefined || run?.epoch !== hold.epoch) {
          return inner.commitAttempt(hold, commit);
        }
        const { cancelRequestedAt } = run;
        edit(services.database, hold.runId, () => ({ cancelRequestedAt: null }));
        const outcome = await inner.commitAttempt(hold, commit);
        edit(services.database, hold.runId, () => ({ cancelRequestedAt }));
        return outcome;
      },
    })),
  },
  {
    name: "sweeper that trusts the broker",
    seed: 77,
    caughtBy: ["every-run-ends"],
    mutations: inRuns((inner, { services }) => ({
      sweepRuns: async (options) => {
        const known = new Set(services.broker.wakeUps().map(({ wakeUp }) => wakeUp.runId));
        return (await inner.sweepRuns(options)).filter(({ runId }) => !known.has(runId));
      },
    })),
  },
  {
    name: "start ticket for everybody",
    seed: 26,
    caughtBy: ["ticket", "start-without-lease", "single-ticket"],
    mutations: inRuns((inner) => ({
      useStartTicket: async (hold, phase, attempt) => {
        await inner.useStartTicket(hold, phase, attempt);
        return true;
      },
    })),
  },
  {
    name: "wake_at not set on release",
    seed: 6,
    caughtBy: ["somebody-looks"],
    mutations: inRuns((inner, { services }) => ({
      releaseRun: async (hold, events) => {
        await inner.releaseRun(hold, events);
        edit(services.database, hold.runId, ({ wakeAt }) => ({ wakeAt: (wakeAt ?? 0) + YEAR_MS }));
      },
    })),
  },
  {
    name: "result committed apart from what follows from it",
    seed: 1,
    caughtBy: ["phase-follows-success"],
    mutations: inRuns((inner, { services, scheduler }) => ({
      commitAttempt: async (hold, commit) => {
        const { phaseIx, ...rest } = commit;
        const outcome = await inner.commitAttempt(hold, rest);
        if (phaseIx !== undefined) {
          scheduler.after(1, "the second half of a commit", undefined, () =>
            edit(services.database, hold.runId, () => ({ phaseIx })),
          );
        }
        return outcome;
      },
    })),
  },
  {
    name: "checkpoint not stored with its result",
    seed: 44,
    caughtBy: ["crashes-fail-nothing"],
    mutations: inRuns((inner) => ({
      commitAttempt: (hold, { checkpoint: _checkpoint, ...commit }) =>
        inner.commitAttempt(hold, commit),
    })),
  },
  {
    name: "run closed before its last events are told",
    seed: 40,
    caughtBy: ["events-confirmed", "every-event-told"],
    mutations: inRuns((inner, { services }) => ({
      finishCleanup: (hold, attempt) => {
        if (services.database.rowsOf(hold.runId)?.run.epoch === hold.epoch) {
          edit(services.database, hold.runId, ({ lastSeq }) => ({ sentSeq: lastSeq }));
        }
        return inner.finishCleanup(hold, attempt);
      },
    })),
  },
  {
    name: "agent that outlives its supervisor's lease",
    seed: 80,
    caughtBy: ["agent-outlives-lease", "start-without-lease"],
    mutations: {
      runtime: (inner) => ({
        ...inner,
        prepare: async (spec, signal) => {
          const prepared = await inner.prepare(spec, signal);
          return {
            ...prepared,
            start: async (listener, limits, signals) => {
              const lasting = { ...limits, keepAliveMs: YEAR_MS };
              const job = await prepared.start(listener, lasting, signals);
              return { ...job, keepAlive: () => {} };
            },
          };
        },
      }),
    },
  },
  {
    name: "people's word taken from under an owner that ends the run for the lack of it",
    seed: 155,
    caughtBy: ["approved-first", "replay"],
    mutations: inRuns((inner, { services }) => ({
      storeCommand: async (command, bodyHash) => {
        const { database } = services;
        const run = database.rowsOf(command.runId)?.run;
        if (run?.parkedFor !== "input") {
          return inner.storeCommand(command, bodyHash);
        }
        const { leaseOwner, leaseUntil } = run;
        freeLease(database, command.runId);
        const verdict = await inner.storeCommand(command, bodyHash);
        edit(database, command.runId, () => ({ leaseOwner, leaseUntil }));
        return verdict;
      },
    })),
  },
  {
    name: "rejected result taken for the phase's",
    seed: 1,
    caughtBy: ["approved-first", "replay"],
    mutations: inRuns((inner, { services }) => ({
      commitAttempt: (hold, commit) => {
        const { conclusion } = commit;
        const rows = services.database.rowsOf(hold.runId);
        const phaseIx = (rows?.run.phaseIx ?? 0) + 1;
        return conclusion?.state === "failed" && commit.outcome === undefined
          ? inner.commitAttempt(hold, {
              ...commit,
              conclusion: { ...conclusion, state: "succeeded" },
              phaseIx,
            })
          : inner.commitAttempt(hold, commit);
      },
    })),
  },
  {
    name: "pull request created without a look at what is there",
    seed: 564,
    caughtBy: ["one-pull-request", "knows-pull-request"],
    mutations: {
      pullRequests: (inner, services) => ({
        ...inner,
        ensure: async (wanted, signal, onStep) => {
          const there = services.pullRequests.get(wanted.gitRemote)?.pullRequests ?? [];
          const hidden = there.splice(0);
          try {
            return await inner.ensure(wanted, signal, onStep);
          } finally {
            there.unshift(...hidden);
          }
        },
      }),
    },
  },
];
