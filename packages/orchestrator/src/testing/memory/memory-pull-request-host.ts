import { bodyBlock, isOurTitle, withBlockReplaced } from "../../domain/pull-request/body-block.ts";
import { choosePullRequest } from "../../domain/pull-request/choose-pull-request.ts";
import { runIdOf } from "../../domain/pull-request/run-marker.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type {
  EnsuredPullRequest,
  PullRequest,
  PullRequestHost,
  WantedPullRequest,
} from "../../ports/pull-request-host.ts";

/** A pull request as people see it. */
export interface MemoryPullRequest {
  readonly number: number;
  readonly head: string;
  base: string;
  title: string;
  body: string;
  draft: boolean;
  state: PullRequest["state"];
  /** Where its branch was when it was closed or merged. */
  endedAtSha: string | undefined;
  wasMarkedReady: boolean;
  readonly labels: Set<string>;
  readonly reviewers: Set<string>;
  readonly assignees: Set<string>;
}

/** What the host knows of a repository; everything may be changed from outside, as by people. */
export interface MemoryPullRequests {
  readonly pullRequests: MemoryPullRequest[];
  /** Default `main`. */
  readonly defaultBranch?: string;
  /** Default true. */
  drafts: boolean;
}

export interface MemoryPullRequestHostOptions {
  /** Repositories by their remote; one that is not there yet is made. Kept by whoever owns the world. */
  readonly repositories: Map<string, MemoryPullRequests>;
  /** Where a branch is, undefined when it is not there: for example of the `MemoryRemotes`. */
  readonly branchSha: (gitRemote: string, branch: string) => string | undefined;
  /** Default: every remote that `branchSha` is asked for. */
  readonly serves?: (gitRemote: string) => boolean;
  /** Asked before each request, for whoever lets them fail or wait. Default: nothing happens. */
  readonly onRequest?: (request: "look" | "create" | "update" | "decorate") => Promise<void>;
}

/** Pull requests in memory, by the same rules as at a real host. */
export function memoryPullRequestHost(options: MemoryPullRequestHostOptions): PullRequestHost {
  const { repositories, branchSha, serves = () => true, onRequest = async () => {} } = options;

  async function request(
    kind: Parameters<typeof onRequest>[0],
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    await onRequest(kind);
    signal.throwIfAborted();
  }

  return {
    name: "memory",
    serves,
    async ensure(wanted, signal, onStep = async () => {}) {
      await request("look", signal);
      const repository = repositoryOf(repositories, wanted.gitRemote);
      const shaOf = (branch: string) => branchSha(wanted.gitRemote, branch);
      const known = repository.pullRequests
        .filter(({ head }) => head === wanted.head)
        .map((pullRequest) => ({
          pullRequest,
          number: pullRequest.number,
          state: pullRequest.state,
          headSha: pullRequest.endedAtSha ?? shaOf(pullRequest.head) ?? "",
          runId: runIdOf(pullRequest.body),
        }));
      await onStep("looked");
      const choice = choosePullRequest(known, wanted.runId, shaOf(wanted.head) ?? "");
      if (choice.do === "leave") {
        return told(choice.pullRequest.pullRequest, "left", [choice.note]);
      }
      await request(choice.do, signal);
      const notes: string[] = [];
      // Looked for once more: somebody may have been quicker, and no branch has two that are open.
      const present =
        choice.do === "update" ? choice.pullRequest.pullRequest : openOf(repository, wanted.head);
      const pullRequest =
        present === undefined
          ? create(repository, wanted, shaOf)
          : update(repository, present, wanted, notes);
      if (present === undefined) {
        await onStep("created");
      }
      await request("decorate", signal);
      decorate(pullRequest, wanted, notes);
      await onStep("decorated");
      return told(pullRequest, present === undefined ? "created" : "updated", notes);
    },
  };
}

function repositoryOf(
  repositories: Map<string, MemoryPullRequests>,
  gitRemote: string,
): MemoryPullRequests {
  const present = repositories.get(gitRemote);
  if (present !== undefined) {
    return present;
  }
  const made = { pullRequests: [], drafts: true };
  repositories.set(gitRemote, made);
  return made;
}

function openOf({ pullRequests }: MemoryPullRequests, head: string): MemoryPullRequest | undefined {
  return pullRequests.find((one) => one.head === head && one.state === "open");
}

function create(
  repository: MemoryPullRequests,
  wanted: WantedPullRequest,
  shaOf: (branch: string) => string | undefined,
): MemoryPullRequest {
  const { runId, title, body, head, draft } = wanted;
  const base = wanted.base ?? repository.defaultBranch ?? "main";
  const baseSha = shaOf(base);
  if (baseSha === undefined) {
    throw new SpeckitError(
      "BASE_BRANCH_NOT_FOUND",
      `${wanted.gitRemote}: it has no branch ${base}`,
    );
  }
  if (shaOf(head) === undefined || shaOf(head) === baseSha) {
    throw new SpeckitError("PULL_REQUEST_REFUSED", `No commits between ${base} and ${head}`);
  }
  const made: MemoryPullRequest = {
    number: repository.pullRequests.length + 1,
    head,
    base,
    title,
    body: bodyBlock(runId, title, body),
    draft: draft && repository.drafts,
    state: "open",
    endedAtSha: undefined,
    wasMarkedReady: false,
    labels: new Set(),
    reviewers: new Set(),
    assignees: new Set(),
  };
  repository.pullRequests.push(made);
  return made;
}

function update(
  { defaultBranch = "main" }: MemoryPullRequests,
  pullRequest: MemoryPullRequest,
  wanted: WantedPullRequest,
  notes: string[],
): MemoryPullRequest {
  const { runId, title, body } = wanted;
  const isOurs = isOurTitle(pullRequest.title, pullRequest.body);
  const text = withBlockReplaced(pullRequest.body, bodyBlock(runId, title, body));
  if (text === undefined) {
    notes.push("its text was written by people: it was left as it is");
  }
  pullRequest.title = isOurs ? title : pullRequest.title;
  pullRequest.body = text ?? pullRequest.body;
  if (pullRequest.base !== (wanted.base ?? defaultBranch)) {
    notes.push(`it goes to ${pullRequest.base}: its base was left as it is`);
  }
  return pullRequest;
}

function decorate(
  pullRequest: MemoryPullRequest,
  wanted: WantedPullRequest,
  notes: string[],
): void {
  const needsDraftLabel = wanted.draft && !pullRequest.draft && !pullRequest.wasMarkedReady;
  if (needsDraftLabel) {
    notes.push("this repository has no draft pull requests: it has a label instead");
  }
  for (const label of [...wanted.labels, ...(needsDraftLabel ? ["draft"] : [])]) {
    pullRequest.labels.add(label);
  }
  for (const reviewer of wanted.reviewers) {
    pullRequest.reviewers.add(reviewer);
  }
  for (const assignee of wanted.assignees) {
    pullRequest.assignees.add(assignee);
  }
}

function told(
  { number, state, draft }: MemoryPullRequest,
  how: EnsuredPullRequest["how"],
  notes: readonly string[],
): EnsuredPullRequest {
  return { number, url: `https://example.org/pull/${number}`, state, draft, how, notes };
}
