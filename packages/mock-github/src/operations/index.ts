import { addAssignees, addLabels, createLabel, getLabel, requestReviewers } from "./decorations.ts";
import type { RepositoryOperation } from "./operation.ts";
import { createPull, listEvents, listPulls, listReviews, updatePull } from "./pulls.ts";
import { getBranch, getRepository } from "./repository.ts";

/** What of GitHub's API there is here, by route; a call of another one is no mistake of GitHub's, but of the test's. */
export const OPERATIONS: Readonly<Record<string, RepositoryOperation>> = {
  "GET /repos/{owner}/{repo}": getRepository,
  "GET /repos/{owner}/{repo}/branches/{branch}": getBranch,
  "GET /repos/{owner}/{repo}/pulls": listPulls,
  "POST /repos/{owner}/{repo}/pulls": createPull,
  "PATCH /repos/{owner}/{repo}/pulls/{pull_number}": updatePull,
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews": listReviews,
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers": requestReviewers,
  "GET /repos/{owner}/{repo}/issues/{issue_number}/events": listEvents,
  "GET /repos/{owner}/{repo}/labels/{name}": getLabel,
  "POST /repos/{owner}/{repo}/labels": createLabel,
  "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": addLabels,
  "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees": addAssignees,
};
