import { addAssignees } from "./add-assignees.ts";
import { addLabels } from "./add-labels.ts";
import type { Outcome, Work } from "./pull-request-work.ts";
import { requestReviews } from "./request-reviews.ts";

/**
 * Adds labels, reviewers and assignees that are not there yet. What GitHub refuses of them is a note:
 * the pull request is there, and worth more than its label.
 *
 * @throws GitHubError of what may pass, or of the whole token
 */
export async function decoratePullRequest(
  work: Work,
  outcome: Outcome,
): Promise<readonly string[]> {
  return [
    ...(await addLabels(work, outcome)),
    ...(await addAssignees(work, outcome)),
    ...(await requestReviews(work, outcome)),
  ];
}
