import { choosePullRequest } from "../../domain/pull-request/choose-pull-request.ts";
import type { EnsuredPullRequest, PullRequestStep } from "../../ports/pull-request-host.ts";
import { createPullRequest } from "./create-pull-request.ts";
import { decoratePullRequest } from "./decorate-pull-request.ts";
import { GitHubError } from "./github-failures.ts";
import { listPullRequests, openOnes } from "./list-pull-requests.ts";
import { branchSha, checkedRepository } from "./look-at-repository.ts";
import type { AskedWork, FoundPullRequest, Work } from "./pull-request-work.ts";
import { updatePullRequest } from "./update-pull-request.ts";

interface Steps {
  readonly onStep: (step: PullRequestStep) => Promise<void>;
}

/** See the port, {@link PullRequestHost.ensure}. */
export async function ensurePullRequest(asked: AskedWork & Steps): Promise<EnsuredPullRequest> {
  const { wanted, onStep } = asked;
  const { owner, defaultBranch } = await checkedRepository(asked);
  const work = { ...asked, base: wanted.base ?? defaultBranch };
  const known = await listPullRequests(work, owner);
  await onStep("looked");
  // Where the branch is decides nothing while one is open, or none is there.
  const isAsked = known.length > 0 && openOnes(known).length === 0;
  const now = isAsked ? await branchSha(work, wanted.head) : "";
  const choice = choosePullRequest(known, wanted.runId, now);
  switch (choice.do) {
    case "leave":
      return toldAs(choice.pullRequest, "left", [choice.note]);
    case "update":
      return updated(work, choice.pullRequest);
    case "create": {
      const created = await createPullRequest(work);
      if (created !== undefined) {
        await onStep("created");
        const notes = [...created.notes, ...(await decoratePullRequest(work, created))];
        await onStep("decorated");
        return toldAs(created.found, "created", notes);
      }
      // "Already exists": an earlier call of ours whose answer was lost, or somebody was quicker.
      const [found] = openOnes(await listPullRequests(work, owner));
      if (found === undefined) {
        throw new GitHubError(
          "PULL_REQUEST_HOST_UNAVAILABLE",
          `${owner}/${work.name.repo}: GitHub says ${wanted.head} has a pull request, and shows none`,
          { status: 422 },
        );
      }
      return updated(work, found);
    }
  }
}

async function updated(work: Work & Steps, found: FoundPullRequest): Promise<EnsuredPullRequest> {
  const update = await updatePullRequest(work, found);
  const notes = [...update.notes, ...(await decoratePullRequest(work, update))];
  await work.onStep("decorated");
  return toldAs(found, "updated", notes);
}

function toldAs(
  { number, url, state, draft }: FoundPullRequest,
  how: EnsuredPullRequest["how"],
  notes: readonly string[],
): EnsuredPullRequest {
  return { number, url, state, draft, how, notes };
}
