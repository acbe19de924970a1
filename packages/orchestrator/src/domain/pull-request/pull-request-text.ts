import { whatFits } from "./byte-length.ts";
import { callsNobody } from "./defuse.ts";
import { madeBy } from "./made-by.ts";
import { codeSpan, folded, inlineCode, inlineText } from "./markdown-text.ts";
import { nextSteps } from "./next-steps.ts";
import type { ChangedFile, PullRequestFacts, SummaryFacts } from "./pull-request-facts.ts";
import { pullRequestTitle } from "./pull-request-title.ts";
import { runMarker } from "./run-marker.ts";
import { sentenceBlock } from "./sentence-block.ts";

/** Bytes of a list; with the sentence's two parts and our own lines a body stays below 65,536. */
const LIST_BYTES = 6_000;

/** Items of a list that show without unfolding it. */
const SHOWN_ITEMS = 8;

/**
 * Title and body of a run's pull request. Pure and total: whatever the texts of others hold, nothing in
 * it mentions anybody, closes an issue or opens markup (see `defuse`), and it is within GitHub's limits.
 *
 * A body has at most 65,536 characters there (code points); ours has fewer bytes than that, whatever is
 * counted. It is meant for one screen: what is longer folds.
 */
export function pullRequestText(facts: PullRequestFacts): {
  readonly title: string;
  readonly body: string;
} {
  const parts = [
    runMarker(facts.runId),
    "Made by speckit from this sentence:",
    sentenceBlock(facts.specifyText),
    feature(facts),
    stories(facts.summary),
    questions(facts),
    list("assumption", facts.assumptions, inlineText, { isFolded: true }),
    changes(facts),
    "### Go on from here",
    nextSteps(facts),
    "### How it was made",
    madeBy(facts),
    origin(facts),
  ];
  return {
    title: pullRequestTitle(facts),
    body: `${parts.filter((part) => part !== "").join("\n\n")}\n`,
  };
}

function feature({ featureDirectory, summary, phaseFiles }: PullRequestFacts): string {
  const counts =
    summary === null
      ? []
      : [
          counted(summary.stories.length, "user story", "user stories"),
          counted(summary.functionalRequirements, "functional requirement"),
          counted(summary.successCriteria, "success criterion", "success criteria"),
          ...(summary.tasks === null
            ? []
            : [`${counted(summary.tasks.total, "task")} (${summary.tasks.parallel} in parallel)`]),
        ];
  const lines = [
    ["### Feature"],
    featureDirectory === null ? [] : [inlineCode(featureDirectory)],
    [counts.join(" · ")],
    summary?.approach == null ? [] : [`Approach: ${inlineText(summary.approach)}`],
    phaseFiles.length === 0
      ? []
      : [`To read: ${whatFits(phaseFiles, nameOf, 2_000).lines.join(" → ")}`],
  ].flat();
  const known = lines.filter((line) => line !== "");
  return known.length === 1 ? "" : known.join("\n\n");
}

function nameOf({ path }: { readonly path: string }): string {
  return inlineCode(path.split("/").at(-1) ?? path);
}

function stories(summary: SummaryFacts | null): string {
  const itemOf = ({ id, title, priority }: SummaryFacts["stories"][number]) => {
    const tasks = summary?.tasks?.perStory[id];
    const count = tasks === undefined ? "" : `, ${counted(tasks, "task")}`;
    return `**${inlineText(id)}** (${inlineText(priority ?? "no priority")}${count}) ${inlineText(title)}`.trim();
  };
  return list("user story", summary?.stories ?? [], itemOf, { plural: "user stories" });
}

function questions({ openQuestions, summary }: PullRequestFacts): string {
  const marked = Math.max(openQuestions.length, summary?.openQuestions ?? 0);
  if (marked === 0) {
    return "";
  }
  const heading = `### ${counted(marked, "open question")}`;
  const found = list("open question", openQuestions, inlineText);
  return found === "" ? `${heading}\n\nMarked in the documents.` : `${heading}\n\n${found}`;
}

function changes({ changedFiles, diff }: PullRequestFacts): string {
  if (diff.files === 0 && changedFiles.length === 0) {
    return "The run has changed nothing.";
  }
  const size = `+${figure(diff.insertions)} −${figure(diff.deletions)}`;
  const title = `${counted(diff.files, "file")} changed, ${size}`;
  return changedFiles.length === 0 ? title : folded(title, fitting(changedFiles, fileItem));
}

function fileItem({ path, kind }: ChangedFile): string {
  return `${kind} ${inlineCode(path)}`;
}

function origin({ runId, repository, branch, baseBranch, baseSha, headSha }: PullRequestFacts) {
  return [
    `Run ${codeSpan(runId)} in ${inlineCode(repository)}: branch ${branchName(branch)} at ${shortSha(headSha)},`,
    `from ${inlineCode(baseBranch)} at ${shortSha(baseSha)}.`,
  ].join(" ");
}

/** Exact, to be copied, unless that would call somebody. */
function branchName(branch: string): string {
  return callsNobody(branch) ? codeSpan(branch) : inlineCode(branch);
}

function shortSha(sha: string): string {
  return codeSpan(sha.slice(0, 12));
}

function list<Item>(
  name: string,
  items: readonly Item[],
  itemOf: (item: Item) => string,
  { plural, isFolded = false }: { readonly plural?: string; readonly isFolded?: boolean } = {},
): string {
  if (items.length === 0) {
    return "";
  }
  const content = fitting(items, itemOf);
  return isFolded || items.length > SHOWN_ITEMS
    ? folded(counted(items.length, name, plural), content)
    : content;
}

/** Items as a list, as many as fit. */
function fitting<Item>(items: readonly Item[], itemOf: (item: Item) => string): string {
  const { lines, left } = whatFits(items, (item) => `- ${itemOf(item)}`, LIST_BYTES);
  return [...lines, ...(left === 0 ? [] : [`- and ${figure(left)} more`])].join("\n");
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${figure(count)} ${count === 1 ? one : many}`;
}

function figure(value: number): string {
  return value.toLocaleString("en-US");
}
