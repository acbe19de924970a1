import { wakeUp } from "@speckit/orchestrator/contract";
import type { Client } from "../world/client.ts";
import type { Fleet } from "../world/fleet.ts";
import type { Process, World } from "../world/process.ts";

export interface FaultContext {
  readonly world: World;
  readonly fleet: Fleet;
  readonly client: Client;
  /** Who it is to hit, for those that hit a process. */
  readonly target: Process;
}

type Fault = (context: FaultContext) => void;

const soon = ({ world }: FaultContext): number => world.random.between(100, 30_000);

/** Long enough for a lease to run out, or not. */
function spell({ world: { random } }: FaultContext): number {
  return random.chance(0.4) ? random.between(500, 10_000) : random.between(25_000, 140_000);
}

function startSoon(context: FaultContext): void {
  const { world, fleet } = context;
  if (world.random.chance(0.7)) {
    world.scheduler.after(soon(context), "a worker is started", undefined, fleet.start);
  }
}

function someRun({ world: { services, random } }: FaultContext): string | undefined {
  const ids = [...services.database.all()].map(({ run }) => run.runId);
  return ids.length === 0 ? undefined : random.pick(ids);
}

/** Some time from now: where a run spends its time, not where it takes its steps. */
function ask(context: FaultContext, command: "cancel" | "resume"): void {
  const { scheduler, random } = context.world;
  scheduler.after(random.between(0, 20_000), `somebody asks to ${command}`, undefined, () => {
    const runId = someRun(context);
    if (runId !== undefined) {
      if (random.chance(0.4)) {
        // Its row is there, and nobody is told.
        context.client.process.fates.set("broker", "lost_before");
      }
      context.client.command(runId, command);
    }
  });
}

/** Everything that can go wrong, by name. */
export const FAULTS = {
  kill(context) {
    context.fleet.kill(context.target, "at_once");
    startSoon(context);
  },
  /** A host that is gone with its connections half open. */
  vanish(context) {
    context.fleet.kill(context.target, "late");
    startSoon(context);
  },
  freeze(context) {
    const { target, world } = context;
    target.frozenUntilMs = world.scheduler.nowMs() + spell(context);
  },
  drain(context) {
    context.fleet.drain(context.target);
    startSoon(context);
  },
  cut_from_database(context) {
    context.fleet.cut(context.target, ["database"], spell(context));
  },
  cut_from_broker(context) {
    context.fleet.cut(context.target, ["broker"], spell(context));
  },
  cut_from_both(context) {
    context.fleet.cut(context.target, ["database", "broker"], spell(context));
  },
  lose_session({ fleet, target }) {
    fleet.loseSession(target);
  },
  restart_database(context) {
    context.fleet.restartDatabase(spell(context) / 2);
  },
  step_clock({ world: { services, random, oracle } }) {
    const ms = random.chance(0.7) ? random.between(1_000, 45_000) : random.between(60_000, 600_000);
    services.serverClock.offsetMs += random.chance(0.5) ? ms : -ms;
    oracle.onClockStep();
  },
  restart_broker(context) {
    context.fleet.restartBroker(spell(context) / 2);
  },
  wipe_broker({ world: { services } }) {
    services.broker.wipe();
  },
  double_message({ world: { services, random } }) {
    const all = services.broker.wakeUps();
    if (all.length > 0) {
      const message = { queue: "work" as const, wakeUp: random.pick(all).wakeUp };
      services.broker.queues.work.push({ message, isRedelivered: random.chance(0.3) });
      services.broker.dispatch();
    }
  },
  lose_message({ world: { services, random } }) {
    const queue = services.broker.queues[random.pick(["work", "start"] as const)];
    queue.splice(random.between(0, queue.length), 1);
  },
  reorder_messages({ world: { services, random } }) {
    const { work } = services.broker.queues;
    for (let ix = work.length - 1; ix > 0; ix -= 1) {
      const other = random.between(0, ix);
      const [a, b] = [work[ix], work[other]];
      if (a !== undefined && b !== undefined) {
        work[ix] = b;
        work[other] = a;
      }
    }
  },
  early_message({ world: { services, random } }) {
    const all = [...services.broker.delayed];
    if (all.length > 0) {
      random.pick(all).release();
    }
  },
  stray_message(context) {
    const { services, random } = context.world;
    const runId = someRun(context);
    if (runId !== undefined) {
      const suspectEpoch = random.chance(0.5) ? { suspectEpoch: random.between(1, 4) } : {};
      const message = { queue: "work" as const, wakeUp: { ...wakeUp(runId), ...suspectEpoch } };
      services.broker.queues.work.push({ message, isRedelivered: random.chance(0.5) });
      services.broker.dispatch();
    }
  },
  lose_call({ world: { random }, target }) {
    target.fates.set(
      random.pick(["database", "database", "broker"] as const),
      random.pick(["lost_before", "lost_after", "slow"] as const),
    );
  },
  lose_local_call({ world: { random }, target }) {
    target.fates.set(
      random.pick(["git", "local"] as const),
      random.pick(["lost_before", "lost_after", "slow"] as const),
    );
  },
  git_away({ world: { services, scheduler, random } }) {
    services.away.git = true;
    scheduler.after(random.between(500, 60_000), "the git host is back", undefined, () => {
      services.away.git = false;
    });
  },
  cancel: (context) => ask(context, "cancel"),
  resume: (context) => ask(context, "resume"),
} as const satisfies Record<string, Fault>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

/** Faults that may end a run as failed or cancelled: they spend its budget, or ask for it. */
export const ENDS_RUNS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "lose_local_call",
  "git_away",
  "cancel",
]);

/** Faults after which every run that rests still has its message. */
export const KEEPS_MESSAGES: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "kill",
  "drain",
  "double_message",
  "reorder_messages",
  "cancel",
  "resume",
]);
