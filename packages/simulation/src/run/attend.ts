import type { Client } from "../world/client.ts";
import type { World } from "../world/process.ts";
import { randomFrom } from "../world/random.ts";
import type { Plan } from "./plan.ts";

/**
 * What people do: they answer, mostly, they look at results that wait for them, and some go on with
 * what has failed. Once per run, round and result.
 */
export function attend(plan: Plan, world: World, customer: Client): void {
  const { random, scheduler: time, services: shared } = world;
  for (const { run, attempts } of shared.database.all()) {
    const proposed = attempts.find(({ state }) => state === "proposed");
    const result = proposed === undefined ? "" : `${proposed.phase} ${proposed.attempt}`;
    const round = `${run.runId} ${run.outcome ?? run.questionRound} ${result}`;
    if (run.parkedFor === "input" && run.leaseOwner !== null) {
      comeLate(world, customer, run, `${round} late`);
      continue;
    }
    if (attended.get(world)?.has(round)) {
      continue;
    }
    const later = (what: () => void, mostMs = 90_000): void => {
      const done = attended.get(world) ?? new Set<string>();
      attended.set(world, done.add(round));
      time.after(random.between(100, mostMs), "somebody attends", undefined, what);
    };
    if (run.parkedFor === "input" && proposed !== undefined) {
      decideAbout(plan, world, customer, { runId: run.runId, ...proposed }, later);
    } else if (run.parkedFor === "input") {
      later(() => {
        if (random.chance(0.7)) {
          const answers = [random.chance(0.5) ? "the first" : null];
          customer.command(run.runId, "answer", { answers, round: run.questionRound });
        }
      });
    } else if ((run.outcome === "failed" || run.outcome === "cancelled") && run.retryOf === null) {
      later(() => {
        if (random.chance(0.3) && plan.runs < 3) {
          customer.command(run.runId, "retry");
        }
      });
    }
  }
}

/** Somebody has claimed a run that asks, since its time is over; just then there is a word after all. */
function comeLate(
  world: World,
  customer: Client,
  { runId, questionRound }: { readonly runId: string; readonly questionRound: number },
  moment: string,
): void {
  const done = attended.get(world) ?? new Set<string>();
  if (done.has(moment)) {
    return;
  }
  attended.set(world, done.add(moment));
  const person = randomFrom(world.seed, moment);
  if (person.chance(0.5)) {
    customer.command(runId, "approve");
  } else if (questionRound > 0) {
    customer.command(runId, "answer", { answers: ["late"], round: questionRound });
  }
}

/** Where nothing goes wrong they approve in the end: else their silence, or their taste, fails the run. */
function decideAbout(
  plan: Plan,
  world: World,
  customer: Client,
  { runId, phase, attempt }: { runId: string; phase: string; attempt: number },
  later: (what: () => void, mostMs: number) => void,
): void {
  const person = randomFrom(world.seed, "person", runId, phase, attempt);
  const isEasy = plan.habits.troubleRate === 0;
  const decide = (): void => {
    if (person.chance(isEasy && attempt > 3 ? 0 : 0.3)) {
      customer.command(runId, "reject", { phase, attempt, comment: "shorter" });
    } else {
      customer.command(runId, "approve", person.chance(0.5) ? { phase, attempt } : {});
    }
  };
  later(() => {
    if (isEasy || person.chance(0.85)) {
      decide();
    }
    // Somebody else decides at the same time: one of them is told that it is too late.
    if (person.chance(0.2)) {
      decide();
    }
    // A lost message and a slow one still leave time.
  }, 20_000);
}

const attended = new WeakMap<World, Set<string>>();
