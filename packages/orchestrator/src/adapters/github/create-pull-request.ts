import { bodyBlock } from "../../domain/pull-request/body-block.ts";
import { GitHubError } from "./github-failures.ts";
import { checkBase } from "./look-at-repository.ts";
import { foundPullRequest, type Outcome, type Work } from "./pull-request-work.ts";

/**
 * Creates the pull request; as a normal one where drafts are refused.
 *
 * @returns undefined when the branch has an open one already
 * @throws GitHubError `BASE_BRANCH_NOT_FOUND`, `PULL_REQUEST_REFUSED` …
 */
export async function createPullRequest(work: Work): Promise<Outcome | undefined> {
  const { wanted } = work;
  await checkBase(work);
  try {
    return { ...(await created(work, wanted.draft)), notes: [], needsDraftLabel: false };
  } catch (error) {
    if (isAlreadyThere(error)) {
      return undefined;
    }
    if (!wanted.draft || !isDraftRefused(error)) {
      throw error;
    }
  }
  try {
    return { ...(await created(work, false)), notes: [draftNote(work)], needsDraftLabel: true };
  } catch (error) {
    if (isAlreadyThere(error)) {
      return undefined;
    }
    throw error;
  }
}

/** For people, where a draft was wanted and could not be had. */
export function draftNote({ draftLabel }: Pick<Work, "draftLabel">): string {
  return `this repository has no draft pull requests: it is a normal one with the label ${draftLabel}`;
}

async function created(
  { client, name, wanted, base }: Work,
  draft: boolean,
): Promise<Pick<Outcome, "found">> {
  const { runId, title, body, head } = wanted;
  const data = await client.ask((request) =>
    request("POST /repos/{owner}/{repo}/pulls", {
      ...name,
      head,
      base,
      title,
      body: bodyBlock(runId, title, body),
      draft,
    }),
  );
  return { found: foundPullRequest(data) };
}

/** GitHub has no codes for these two: its words, which have been the same for years. */
function isAlreadyThere(error: unknown): boolean {
  return isRefused(error) && /\bpull request already exists\b/i.test(error.words);
}

function isDraftRefused(error: unknown): boolean {
  return isRefused(error) && /\bdraft pull requests? (?:are|is) not supported\b/i.test(error.words);
}

function isRefused(error: unknown): error is GitHubError {
  return error instanceof GitHubError && error.status === 422;
}
