import type { Scenario } from "../scenario.ts";
import { phaseWork } from "../speckit/phase-work.ts";
import { failures } from "./failures.ts";
import { firstRequests, ok, slow } from "./ok.ts";
import { run } from "./run.ts";

const { e429ra, e429usage, failed, cut, e500, ...plain } = failures;

/** Names and what they stand for. A `#` is a number, for which there may be a default. */
const SCENARIOS: Readonly<Record<string, (parameter: number) => Scenario>> = {
  ok: () => ok,
  run: () => run,
  speckit: () => phaseWork({}),
  questions: () => phaseWork({ asks: true }),
  "raw-template": () => phaseWork({ firstLeavesTemplate: true }),
  "slow-#": (pauseMs) => slow(pauseMs),
  "flaky500-#": (count) => firstRequests(count, e500, ok),
  "flaky429-#": (count) => firstRequests(count, () => e429ra(1), ok),
  "flakycut-#": (count) => firstRequests(count, cut, ok),
  e429ra: () => () => e429ra(2),
  "e429ra-#": (seconds) => () => e429ra(seconds),
  e429usage: () => () => e429usage(3_600),
  "e429usage-#": (seconds) => () => e429usage(seconds),
  cut: () => cut,
  e500: () => e500,
  ...Object.fromEntries(Object.entries(plain).map(([name, answer]) => [name, () => answer])),
};

/**
 * The scenario of a name, undefined for an unknown one. `failed-<code>` is a stream that ends with
 * that code. A word after a hyphen at the end only makes it another one with a count of its own:
 * `flaky500-2-first`, `ok-repaired`.
 */
export function findScenario(name: string): Scenario | undefined {
  const code = /^failed-([a-z_]+)(?:-[a-z]\w*)?$/i.exec(name)?.[1];
  return code === undefined ? (byName(name) ?? byName(withoutLastWord(name))) : () => failed(code);
}

function byName(name: string): Scenario | undefined {
  const number = /-(\d+)$/.exec(name)?.[1];
  const key = number === undefined ? name : `${name.slice(0, -number.length)}#`;
  return Object.hasOwn(SCENARIOS, key) ? SCENARIOS[key]?.(Number(number)) : undefined;
}

function withoutLastWord(name: string): string {
  return name.replace(/-[a-z]\w*$/i, "");
}
