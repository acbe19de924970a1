import { callsNobody } from "./defuse.ts";
import { codeBlock } from "./markdown-text.ts";
import type { PullRequestFacts } from "./pull-request-facts.ts";

/**
 * The commands that check the branch out and let `speckit.implement` find the feature. A branch whose
 * name a host would read as a reference is fetched by its commit: what is copied must be exact.
 */
export function nextSteps({
  branch,
  headSha,
  featureDirectory,
}: Pick<PullRequestFacts, "branch" | "headSha" | "featureDirectory">): string {
  const lines = callsNobody(branch)
    ? [`git fetch origin ${quoted(branch)}`, `git switch ${quoted(branch)}`]
    : [`git fetch origin ${quoted(headSha)}`, "git switch --detach FETCH_HEAD"];
  if (featureDirectory !== null && callsNobody(featureDirectory)) {
    lines.push(`export SPECIFY_FEATURE_DIRECTORY=${quoted(featureDirectory)}`);
  }
  return [
    codeBlock(lines.join("\n"), "sh"),
    "and give your agent the command `speckit.implement` (`/speckit-implement`, `$speckit-implement` or " +
      "`/speckit.implement`, by agent).",
  ].join("\n\n");
}

/** A word of a shell's command. */
function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
