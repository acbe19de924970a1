/** A line of `tasks.md` that is meant to be a task. */
export interface TaskLine {
  readonly line: string;
  /** Undefined when the line does not have the form of a task. */
  readonly id?: string;
  readonly number?: number;
  /** `US1`, when it belongs to a user story. */
  readonly story?: string;
}

const TASK = /^- \[ \] (T(\d{3,9})) (?:\[P\] )?(?:\[(US\d{1,9})\] )?\S/;

/** Every line with an open check box at its start; examples in code fences are none. */
export function taskLines(content: string): readonly TaskLine[] {
  return outsideFences(content)
    .filter((line) => line.startsWith("- [ ]"))
    .map((line) => {
      const [, id, digits, story] = TASK.exec(line) ?? [];
      return id === undefined
        ? { line }
        : { line, id, number: Number(digits), ...(story === undefined ? {} : { story }) };
    });
}

/** Every task of the right form, open or done. */
export function allTasks(
  content: string,
): readonly { readonly isParallel: boolean; readonly story?: string }[] {
  return outsideFences(content).flatMap((line) => {
    const [whole, , , story] = TASK.exec(line.replace(/^- \[[xX]\]/, "- [ ]")) ?? [];
    return whole === undefined
      ? []
      : [{ isParallel: / \[P\] /.test(whole), ...(story === undefined ? {} : { story }) }];
  });
}

/** Lines with a check box that is ticked. */
export function tickedLines(content: string): readonly string[] {
  return outsideFences(content).filter((line) => /^\s*[-*] \[[xX]\]/.test(line));
}

/** The user stories of a specification, `US1` for `### User Story 1`. */
export function storiesOf(spec: string): readonly string[] {
  const numbers = [...spec.matchAll(/^### User Story (\d{1,9})\b/gm)].map(([, number]) => number);
  return [...new Set(numbers)].map((number) => `US${number}`);
}

/** Lines of Markdown that are no part of a code block. */
export function outsideFences(content: string): readonly string[] {
  let isInside = false;
  return content.split("\n").filter((line) => {
    const isFence = line.trimStart().startsWith("```");
    isInside = isFence ? !isInside : isInside;
    return !isFence && !isInside;
  });
}
