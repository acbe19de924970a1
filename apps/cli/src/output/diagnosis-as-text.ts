import { DIAGNOSIS_STATES, type Diagnosis } from "@speckit/orchestrator";
import { visible } from "./visible.ts";

const MARKS = { ok: "ok       ", warning: "warning  ", problem: "PROBLEM  ", skipped: "-        " };
const REMEDY = " ".repeat(2 + MARKS.ok.length);
const NAMES = { ok: "ok", warning: "warning", problem: "problem", skipped: "not looked at" };

/** Findings for people: by what they are about, each remedy beneath, their number in the last line. */
export function diagnosisAsText(found: readonly Diagnosis[]): string {
  const groups = Map.groupBy(found, ({ check }) => check.split(".", 1)[0] ?? "");
  const blocks = [...groups].map(([name, members]) => [name, ...members.flatMap(linesOf), ""]);
  return `${[...blocks.flat(), summaryOf(found)].map(visible).join("\n")}\n`;
}

function linesOf({ check, state, found, remedy }: Diagnosis): readonly string[] {
  const name = check.slice(check.indexOf(".") + 1);
  const lines = [`  ${MARKS[state]}${name}: ${found}`];
  return remedy === undefined || state === "ok" ? lines : [...lines, `${REMEDY}→ ${remedy}`];
}

function summaryOf(found: readonly Diagnosis[]): string {
  return DIAGNOSIS_STATES.map(
    (state) => [found.filter((one) => one.state === state).length, state] as const,
  )
    .filter(([count]) => count > 0)
    .map(([count, state]) => `${count} ${NAMES[state]}${count > 1 && isCounted(state) ? "s" : ""}`)
    .join(", ");
}

function isCounted(state: Diagnosis["state"]): boolean {
  return state === "warning" || state === "problem";
}
