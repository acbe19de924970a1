import { oneLine } from "../one-line.ts";
import { defuse } from "./defuse.ts";
import type { PullRequestFacts } from "./pull-request-facts.ts";
import { showHidden } from "./show-hidden.ts";

/** The most that GitHub takes. */
const MAX_LENGTH = 256;

/**
 * One line: the specification's title, else the sentence, else the branch. A host shows it as plain
 * text, but it becomes the first line of a squash commit and part of a merge's message, where a
 * closing keyword counts: it is defused like the body.
 */
export function pullRequestTitle({
  summary,
  specifyText,
  branch,
}: Pick<PullRequestFacts, "summary" | "specifyText" | "branch">): string {
  const titles = [summary?.title ?? "", specifyText, branch];
  const text = titles
    .map((title) => oneLine(showHidden(title.slice(0, MAX_LENGTH * 2)), MAX_LENGTH))
    .find((title) => title !== "");
  return oneCut(defuse(text ?? "speckit"));
}

function oneCut(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1).toWellFormed()}…` : text;
}
