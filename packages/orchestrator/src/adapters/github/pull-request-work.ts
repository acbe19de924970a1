import type { KnownPullRequest } from "../../domain/pull-request/choose-pull-request.ts";
import { runIdOf } from "../../domain/pull-request/run-marker.ts";
import type { WantedPullRequest } from "../../ports/pull-request-host.ts";
import type { Client } from "./open-client.ts";
import type { RepositoryName } from "./repository-name.ts";

/** One pull request to bring about, as it is asked for. */
export interface AskedWork {
  readonly client: Client;
  readonly name: RepositoryName;
  readonly wanted: WantedPullRequest;
  readonly draftLabel: string;
}

/** The same, with what the repository has said. */
export interface Work extends AskedWork {
  /** The branch to merge into. */
  readonly base: string;
}

/** A pull request as GitHub has it. */
export interface FoundPullRequest extends KnownPullRequest {
  readonly url: string;
  readonly draft: boolean;
  readonly title: string;
  readonly body: string;
  readonly base: string;
  /** Login, undefined where the account is gone. */
  readonly author: string | undefined;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly reviewers: readonly string[];
  /** Slugs. */
  readonly teams: readonly string[];
}

/** What was made or changed, and what of it did not go as wanted. */
export interface Outcome {
  readonly found: FoundPullRequest;
  readonly notes: readonly string[];
  /** It should be a draft, and this repository has none: the label says so instead. */
  readonly needsDraftLabel: boolean;
}

/** What every description of a pull request in GitHub's API has. */
export interface PullRequestData {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly merged_at: string | null;
  readonly draft?: boolean;
  readonly title: string;
  readonly body: string | null;
  readonly base: { readonly ref: string };
  readonly head: {
    readonly ref: string;
    readonly sha: string;
  };
  readonly user: { readonly login: string } | null;
  readonly labels: readonly { readonly name?: string }[];
  readonly assignees?: readonly { readonly login: string }[] | null;
  readonly requested_reviewers?: readonly { readonly login: string }[] | null;
  readonly requested_teams?: readonly { readonly slug: string }[] | null;
}

export function foundPullRequest(data: PullRequestData): FoundPullRequest {
  const body = data.body ?? "";
  return {
    number: data.number,
    url: data.html_url,
    state: data.merged_at !== null ? "merged" : data.state === "open" ? "open" : "closed",
    draft: data.draft ?? false,
    headSha: data.head.sha,
    runId: runIdOf(body),
    title: data.title,
    body,
    base: data.base.ref,
    author: data.user?.login,
    labels: data.labels.flatMap(({ name }) => name ?? []),
    assignees: (data.assignees ?? []).map(({ login }) => login),
    reviewers: (data.requested_reviewers ?? []).map(({ login }) => login),
    teams: (data.requested_teams ?? []).map(({ slug }) => slug),
  };
}

/** GitHub tells neither logins nor labels apart by case. */
export function includesName(names: readonly string[], name: string): boolean {
  return names.some((other) => other.toLowerCase() === name.toLowerCase());
}
