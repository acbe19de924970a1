import type { Finding } from "../failure.ts";
import { oneLine } from "../one-line.ts";
import type { AgentPhase } from "../phase.ts";
import type { Check } from "./check.ts";
import type { PhaseOutput } from "./phase-output.ts";
import { PLAN_CHECKS } from "./plan-checks.ts";
import { SPECIFY_CHECKS } from "./specify-checks.ts";
import { TASKS_CHECKS } from "./tasks-checks.ts";

const CHECKS: Readonly<Record<AgentPhase, readonly Check[]>> = {
  specify: SPECIFY_CHECKS,
  plan: PLAN_CHECKS,
  tasks: TASKS_CHECKS,
};

/** The postconditions of a phase, in the order they are looked at. */
export function checksOf(phase: AgentPhase): readonly Check[] {
  return CHECKS[phase];
}

/** More of the same kind help nobody, and findings travel in rows, events and prompts. */
const MAX_FINDINGS_PER_CHECK = 10;
const MAX_TEXT_LENGTH = 200;

/**
 * The postconditions of a phase that do not hold: an agent's exit code 0 proves nothing, the files
 * do. Pure; takes any text an agent can write. Findings come in the order of the table, at most ten
 * per check, their texts cut at 200 characters.
 */
export function verifyPhase(phase: AgentPhase, output: PhaseOutput): readonly Finding[] {
  const directory = output.featureDirectory;
  return CHECKS[phase].flatMap(({ name, path, expected, broken }) => {
    const all = broken(output);
    const findings = all.slice(0, MAX_FINDINGS_PER_CHECK).map((one) => ({
      check: name,
      path: oneLine(one.path ?? path(directory), MAX_TEXT_LENGTH),
      expected: expected(directory),
      found: oneLine(one.found, MAX_TEXT_LENGTH),
    }));
    const left = all.length - findings.length;
    const last = findings.at(-1);
    return left > 0 && last !== undefined
      ? [...findings, { ...last, path: path(directory), found: `${left} more of the same kind` }]
      : findings;
  });
}
