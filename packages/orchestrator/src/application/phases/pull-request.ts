import type { PullRequestRecord } from "../../domain/pull-request/pull-request-record.ts";
import { pullRequestText } from "../../domain/pull-request/pull-request-text.ts";
import type { PullRequestHost } from "../../ports/pull-request-host.ts";
import { useStartTicket } from "../use-start-ticket.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { pullRequestFacts } from "./pull-request-facts.ts";

/** Title and body of the pull request, as they are or would be at its host. */
const PULL_REQUEST_ARTIFACT = "pull-request.md";

/**
 * Shows people what was pushed: the one pull request of the run's branch. Where none can be opened,
 * or is not to be, its title and body are kept all the same. The host is looked at before anything
 * is created there, so a crash at any point costs another look.
 */
export async function pullRequest(context: PhaseContext): Promise<PhaseReport> {
  const { deps, run, evidence } = context;
  const text = pullRequestText(await pullRequestFacts(context));
  evidence.artifacts.push(
    await deps.artifacts.put(run.runId, PULL_REQUEST_ARTIFACT, `# ${text.title}\n\n${text.body}`),
  );
  if (run.tipSha === null || run.tipSha === run.baseSha) {
    return { changed: false };
  }
  const host = hostOf(context);
  const record =
    typeof host === "string"
      ? described(context, text.title, host)
      : await opened(context, text, host);
  return { changed: false, facts: { pullRequest: record }, told: { pullRequest: record } };
}

/** @returns why there is none, for people */
function hostOf({ deps, run }: PhaseContext): PullRequestHost | string {
  if (run.request.dryRun === true) {
    return "This is a dry run: nothing was pushed or opened.";
  }
  const { pullRequests: host } = deps;
  if (host === undefined) {
    return "No pull-request host is configured: the branch is pushed, and nothing was opened.";
  }
  return host.serves(run.gitRemote)
    ? host
    : `${host.name} does not have ${run.repository}: the branch is pushed, and nothing was opened.`;
}

function described(context: PhaseContext, title: string, note: string): PullRequestRecord {
  const { draft, labels, base } = wishesOf(context);
  return {
    ...{ how: "described", title, base, number: null, url: null, state: null },
    ...{ draft, labels, notes: [note] },
  };
}

async function opened(
  context: PhaseContext,
  text: { readonly title: string; readonly body: string },
  host: PullRequestHost,
): Promise<PullRequestRecord> {
  const { deps, run, attempt, letGo } = context;
  const { runId, gitRemote, branch: head, request } = run;
  const wishes = wishesOf(context);
  const { reviewers = [], assignees = [] } = request;
  // Nothing is opened for a run that was cancelled, or taken over, before this line.
  await useStartTicket(context, "pull_request");
  // A cancel from here on is too late for it: cut in the middle, nobody knew what there is.
  const { number, url, state, draft, how, notes } = await host.ensure(
    { runId, gitRemote, head, ...wishes, ...text, reviewers, assignees },
    letGo,
    async (step) => {
      await deps.reach?.(`pull_request.${step}`, { runId, phase: "pull_request", attempt });
    },
  );
  const { base, labels } = wishes;
  return { how, title: text.title, base, number, url, state, draft, labels, notes };
}

function wishesOf({ deps: { settings }, run }: PhaseContext) {
  const { draft, labels = [] } = run.request;
  return {
    draft: draft ?? settings.draftPullRequests,
    labels: [...new Set([...settings.pullRequestLabels, ...labels])],
    // A run that goes on with its own branch has begun there.
    base: run.baseBranch === run.branch ? null : run.baseBranch,
  };
}
