import { DEFAULT_SETTINGS, type Settings } from "@speckit/orchestrator";
import { FAULT_KINDS, type FaultKind } from "../faults/fault.ts";
import type { AgentHabits } from "../world/agents.ts";
import { type Random, randomFrom } from "../world/random.ts";

/** All that is decided about a schedule before it begins. */
export interface Plan {
  readonly workers: number;
  readonly runs: number;
  readonly slots: number;
  readonly settings: Settings;
  readonly habits: AgentHabits;
  readonly hasFailpoints: boolean;
  /** Kinds of faults that may come: few of them together find more than all of them at once. */
  readonly faults: readonly FaultKind[];
  /** How many at most. */
  readonly budget: number;
  /** How likely one is at each step. */
  readonly rate: number;
  /** Others come at their time, whatever is being done then: agents work long and take few steps. */
  readonly timedFaultsMs: readonly number[];
  /** Whether one worker stays cut off when everything else is healed. */
  readonly leavesOneCutOff: boolean;
}

/** Kinds that meet in the same window more often when little else happens. */
const THEMES: readonly (readonly FaultKind[])[] = [
  ["freeze", "freeze", "cut_from_database", "lose_call", "kill"],
  ["cancel", "cancel", "freeze", "kill", "double_message"],
  ["cancel", "cancel", "cut_from_broker", "cut_from_broker", "lose_call"],
  ["kill", "vanish", "drain", "lose_session", "restart_broker"],
  ["wipe_broker", "lose_message", "early_message", "reorder_messages", "kill"],
  ["step_clock", "freeze", "kill", "restart_database", "resume"],
];

/** Steps after which no new fault comes. */
export const LAST_FAULT_STEP = 2_500;

export function planOf(seed: number): Plan {
  const random = randomFrom(seed, "plan");
  const budget = random.pick([0, 1, 2, 3, 4, 6, 8]);
  const faults = random.chance(0.6)
    ? random.pick(THEMES)
    : FAULT_KINDS.filter(() => random.chance(0.3));
  const timed = budget === 0 ? 0 : random.pick([0, 0, 1, 2, 3]);
  return {
    workers: random.pick([2, 2, 3]),
    runs: random.pick([1, 1, 1, 2, 2, 3]),
    slots: random.pick([1, 2]),
    settings: {
      ...DEFAULT_SETTINGS,
      holdMs: random.pick([600_000, 60_000, 10_000]),
      phaseDeadlineMs: 240_000,
      runDeadlineMs: 900_000,
      silenceMs: 60_000,
      answerWithinMs: 120_000,
    },
    habits: habitsOf(seed, random),
    hasFailpoints: random.chance(0.5),
    faults: faults.length === 0 ? [random.pick(FAULT_KINDS)] : faults,
    budget,
    rate: budget / random.between(60, 600),
    timedFaultsMs: Array.from({ length: timed }, () => random.between(1_000, 100_000)),
    leavesOneCutOff: random.chance(0.25),
  };
}

function habitsOf(seed: number, random: Random): AgentHabits {
  return {
    seed,
    troubleRate: random.pick([0, 0, 0, 0.15, 0.4]),
    longestMs: random.pick([2_000, 20_000, 70_000]),
  };
}
