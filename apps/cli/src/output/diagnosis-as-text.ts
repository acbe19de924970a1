import { DIAGNOSIS_STATES, type Diagnosis } from "@speckit/orchestrator";
import { visible } from "./visible.ts";

const MARKS = { ok: "ok       ", warning: "warning  ", problem: "PROBLEM  ", skipped: "-        " };
const REMEDY = " ".repeat(2 + MARKS.ok.length);
const NAMES = { ok: "ok", warning: "warning", problem: "problem", skipped: "not looked at" };

/**
 * Findings for people: by what they are about, each remedy beneath, their number in the last line. What
 * was not looked at for one reason is one line.
 */
export function diagnosisAsText(found: readonly Diagnosis[]): string {
  const groups = Map.groupBy(found, ({ check }) => check.split(".", 1)[0] ?? "");
  const blocks = [...groups].map(([name, members]) => [name, ...linesOf(members), ""]);
  return `${[...blocks.flat(), summaryOf(found)].map(visible).join("\n")}\n`;
}

function linesOf(members: readonly Diagnosis[]): readonly string[] {
  const alike = Map.groupBy(members, (one) =>
    one.state === "skipped" ? `${one.found}\n${one.remedy}` : one,
  );
  return [...alike.values()].flatMap((same) => {
    const names = same.map(({ check }) => check.slice(check.indexOf(".") + 1)).join(", ");
    const [first] = same;
    if (first === undefined) {
      return [];
    }
    const { state, found, remedy } = first;
    const line = `  ${MARKS[state]}${names}: ${found}`;
    return remedy === undefined || state === "ok" ? [line] : [line, `${REMEDY}→ ${remedy}`];
  });
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
