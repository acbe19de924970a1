import { AGENT_PHASES, type Outcome } from "@speckit/orchestrator";
import type { Mutations } from "../bugs/mutations.ts";
import { ENDS_RUNS, FAULTS, type FaultKind, KEEPS_MESSAGES } from "../faults/fault.ts";
import { oracle } from "../oracle/oracle.ts";
import { refuse } from "../oracle/refuse.ts";
import { type Client, client } from "../world/client.ts";
import { type Fleet, fleet } from "../world/fleet.ts";
import type { World } from "../world/process.ts";
import { randomFrom } from "../world/random.ts";
import { scheduler } from "../world/scheduler.ts";
import { services } from "../world/services.ts";
import { Violation } from "../world/violation.ts";
import { attend } from "./attend.ts";
import { LAST_FAULT_STEP, type Plan, planOf } from "./plan.ts";

export interface ScheduleOptions {
  readonly seed: number;
  /** A deliberate bug. */
  readonly mutations?: Mutations;
  /** Hears each step, and what processes log. */
  readonly trace?: (line: string) => void;
}

export interface ScheduleResult {
  readonly seed: number;
  readonly steps: number;
  /** Virtual time that has passed. */
  readonly virtualMs: number;
  readonly outcomes: readonly (Outcome | null)[];
  readonly faults: readonly FaultKind[];
  readonly agentStarts: number;
  /** What was seen that must never be. */
  readonly violation?: { readonly invariant: string; readonly message: string };
}

/** From the last fault on, all must come to its end within this time. */
const FAIR_MS = 3 * 3_600_000;
const FAIR_STEPS = 150_000;
/** Deaths and the like that a run survives without one of its budgets being spent. */
const HARMLESS_FAULTS = 3;

/**
 * One schedule: workers carry runs while faults come, then no more faults come, and everything must
 * end. The same seed takes the same steps.
 */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const { seed, trace } = options;
  const plan = planOf(seed);
  const random = randomFrom(seed, "world");
  const time = scheduler(random, trace);
  const shared = services(time);
  const eye = oracle(time, shared);
  const world: World = {
    seed,
    scheduler: time,
    random,
    services: shared,
    oracle: eye,
    habits: plan.habits,
    settings: plan.settings,
    mutations: options.mutations ?? {},
    hasFailpoints: plan.hasFailpoints,
    log: trace,
  };
  const workers = fleet(world, { slots: plan.slots });
  const customer = client(world);
  const faults: FaultKind[] = [];
  let isOpenToFaults = true;
  let violation: ScheduleResult["violation"];
  // What nobody catches ends a process.
  const onCrash = (error: unknown): void => {
    violation ??= { ...asViolation(error), invariant: "no-crash" };
  };
  process.on("unhandledRejection", onCrash);
  try {
    begin(plan, world, workers, customer);
    for (const atMs of plan.timedFaultsMs) {
      time.after(atMs, "a fault's time has come", undefined, () => {
        if (isOpenToFaults) {
          faults.push(injectFault(plan, world, workers, customer));
        }
      });
    }
    await time.drive(() => {
      eye.look();
      attend(plan, world, customer);
      const isOver =
        time.steps() > LAST_FAULT_STEP ||
        (faults.length >= plan.budget && time.nowMs() > Math.max(0, ...plan.timedFaultsMs)) ||
        (eye.closedRuns() >= plan.runs && eye.openRuns() === 0 && customer.pending() === 0);
      if (!isOver && faults.length < plan.budget && random.chance(plan.rate)) {
        faults.push(injectFault(plan, world, workers, customer));
      }
      return !isOver;
    });
    isOpenToFaults = false;
    await endFairly(plan, world, workers, customer);
    checkOutcomes(plan, world, faults);
  } catch (error) {
    violation ??= asViolation(error);
  }
  process.off("unhandledRejection", onCrash);
  workers.stop();
  customer.process.isAlive = false;
  return {
    seed,
    steps: time.steps(),
    virtualMs: time.nowMs(),
    outcomes: [...shared.database.all()].map(({ run }) => run.outcome),
    faults,
    agentStarts: eye.starts(),
    ...(violation === undefined ? {} : { violation }),
  };
}

function begin(plan: Plan, world: World, workers: Fleet, customer: Client): void {
  const { scheduler: time, random } = world;
  for (let count = 0; count < plan.workers; count += 1) {
    time.after(random.between(0, 500), "a worker is started", undefined, workers.start);
  }
  for (let count = 0; count < plan.runs; count += 1) {
    const onQuestions = random.chance(0.6) ? "pause" : "assume";
    const watches = randomFrom(world.seed, "watches", count);
    const pauseAfter = AGENT_PHASES.filter(() => watches.chance(0.15));
    time.after(random.between(0, 3_000), "a run is asked for", undefined, () =>
      customer.submit({ onQuestions, pauseAfter }),
    );
  }
}

function injectFault(plan: Plan, world: World, workers: Fleet, customer: Client): FaultKind {
  const { random, scheduler: time, oracle: eye } = world;
  const kind = random.pick(plan.faults);
  const living = workers.living();
  if (living.length > 0) {
    const target = random.pick(living);
    world.log?.(`${(time.nowMs() / 1_000).toFixed(3).padStart(9)} ! ${kind} ${target.name}`);
    FAULTS[kind]({ world, fleet: workers, client: customer, target });
  } else {
    workers.start();
  }
  eye.faults += 1;
  eye.hasDied ||= kind === "kill";
  eye.keepsMessages &&= KEEPS_MESSAGES.has(kind);
  eye.onWakeUp();
  return kind;
}

/** Heals what is broken, but perhaps for one worker; then every run must end, and the broker empty. */
async function endFairly(
  plan: Plan,
  world: World,
  workers: Fleet,
  customer: Client,
): Promise<void> {
  const { scheduler: time, oracle: eye, services: shared } = world;
  const fromMs = time.nowMs();
  const fromSteps = time.steps();
  let kept = plan.leavesOneCutOff
    ? workers.living().find((process) => process.cutFrom.size > 0)
    : undefined;
  const heal = (): void => {
    for (const process of workers.living()) {
      process.fates.clear();
      if (process === kept) {
        process.keepsCut = true;
      } else {
        process.keepsCut = false;
        workers.heal(process);
      }
    }
    customer.process.fates.clear();
  };
  heal();
  if (!workers.living().some((process) => process !== kept && workers.isHealthy(process))) {
    workers.start();
  }
  customer.askAgain();
  // A worker that cannot reach the database keeps requests in hand: whoever gets no answer asks elsewhere.
  time.after(60_000, "client: no answer", undefined, customer.askAgain);
  const isInTime = (what: string): void =>
    refuse(
      time.nowMs() - fromMs > FAIR_MS || time.steps() - fromSteps > FAIR_STEPS,
      "every-run-ends",
      `${what} after ${Math.round((time.nowMs() - fromMs) / 1_000)} s without a fault`,
    );
  await time.drive(() => {
    eye.look();
    attend(plan, world, customer);
    isInTime(`${eye.openRuns()} runs are open`);
    return (
      customer.stored() < plan.runs ||
      eye.openRuns() > 0 ||
      customer.pending() > 0 ||
      shared.broker.waiting("requests") > 0
    );
  });
  kept = undefined;
  heal();
  await time.drive(() => {
    eye.look();
    isInTime(`${shared.broker.wakeUps().length} wake-ups are left`);
    return (
      shared.broker.wakeUps().length > 0 ||
      eye.openRuns() > 0 ||
      shared.broker.waiting("requests") > 0
    );
  });
  eye.lookAtEnd();
}

/** A server's clock that is set forward takes the time people had, or attempts: twice ten minutes are enough. */
const TAKEN_BY_CLOCKS: ReadonlySet<string> = new Set(["APPROVAL_MISSING", "RUN_DEADLINE_EXCEEDED"]);

/** Where agents do their work and nobody asks for an end, a few crashes do not fail a run. */
function checkOutcomes(plan: Plan, world: World, faults: readonly FaultKind[]): void {
  const isHarmless =
    plan.habits.troubleRate === 0 &&
    faults.length <= HARMLESS_FAULTS &&
    !faults.some((kind) => ENDS_RUNS.has(kind));
  for (const { run } of world.services.database.all()) {
    const isTimeTaken =
      faults.includes("step_clock") && TAKEN_BY_CLOCKS.has(run.failure?.code ?? "");
    refuse(
      isHarmless && !isTimeTaken && run.outcome !== "succeeded",
      "crashes-fail-nothing",
      `run ${run.runId} ended as ${run.outcome}: ${run.failure?.message ?? "no failure"}`,
    );
  }
}

function asViolation(error: unknown): NonNullable<ScheduleResult["violation"]> {
  if (error instanceof Violation) {
    return { invariant: error.invariant, message: error.message };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { invariant: "no-crash", message };
}
