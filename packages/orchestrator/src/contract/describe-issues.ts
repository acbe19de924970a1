import type { z } from "zod";

/** What is wrong with a message's shape, in one line: at most five fields, each by its name. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], thing: string): string {
  return issues
    .slice(0, 5)
    .map((issue) => describe(issue, thing))
    .join("; ");
}

function describe(issue: z.core.$ZodIssue, thing: string): string {
  const where = issue.path.length === 0 ? thing : issue.path.map(shown).join(".");
  if (issue.code === "unrecognized_keys") {
    return `${where}: unknown field ${issue.keys.slice(0, 5).map(quoted).join(", ")}`;
  }
  return `${where}: ${issue.message}`;
}

/** Names come from outside: they are cut, and quoted unless plain, or a name could write log lines. */
function shown(name: PropertyKey): string {
  const text = String(name);
  return /^\w{1,60}$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  // JSON leaves what steers a terminal or a reader's eye as it is.
  return JSON.stringify(text.slice(0, 60)).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`,
  );
}
