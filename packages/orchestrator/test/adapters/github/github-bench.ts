import { type MockGitHub, type MockRepository, startMockGitHub } from "@speckit/mock-github";
import { tempFolder } from "@speckit/testkit";
import { type GitHubReach, githubPullRequestHost } from "../../../src/adapters/github/index.ts";
import type { GitCredentialSource } from "../../../src/ports/git-credentials.ts";
import type { LogFields, Logger } from "../../../src/ports/logger.ts";
import type { PullRequestHost, WantedPullRequest } from "../../../src/ports/pull-request-host.ts";

/** Never to be seen anywhere but in a header. */
export const TOKEN = "github_pat_11AAAAAAA0aBcDeFgHiJkLmN";

export const RUN = "01970000-0000-7000-8000-000000000001";

export interface GitHubBench extends AsyncDisposable {
  readonly github: MockGitHub;
  readonly reach: GitHubReach;
  readonly host: PullRequestHost;
  /** Everything that was logged. */
  readonly log: { readonly message: string; readonly fields: LogFields | undefined }[];
  /** `owner/name` of a repository nobody else has, with a branch `one` of one commit. */
  readonly repository: () => { readonly fullName: string; readonly state: MockRepository };
  readonly wanted: (fullName: string, more?: Partial<WantedPullRequest>) => WantedPullRequest;
}

/** GitHub as the adapter meets it, without TLS; a second of a limit lasts no time. */
export async function githubBench(more: Partial<GitHubReach> = {}): Promise<GitHubBench> {
  const folder = await tempFolder("github");
  const github = await startMockGitHub({ folder: folder.path, tls: false });
  const permissions = { contents: "write", pull_requests: "write", metadata: "read" } as const;
  github.giveToken(TOKEN, { kind: "fine-grained", login: "speckit-bot", permissions });
  const log: { message: string; fields: LogFields | undefined }[] = [];
  const reach: GitHubReach = {
    apiUrl: github.apiUrl,
    environment: {},
    logger: recording(log),
    secondMs: 0,
    ...more,
  };
  const host = githubPullRequestHost({ ...reach, credentials: onlyToken(github.host, TOKEN) });
  let repositories = 0;
  return {
    github,
    reach,
    host,
    log,
    repository() {
      repositories += 1;
      const fullName = `acme/app-${repositories}`;
      const state = github.repository(fullName);
      state.collaborators.add("ada");
      state.teams.add("core");
      github.people.commit(fullName, "one");
      return { fullName, state };
    },
    wanted: (fullName, other = {}) => ({
      runId: RUN,
      gitRemote: `${github.url.replace("http:", "https:")}/${fullName}.git`,
      head: "one",
      base: "main",
      title: "Add a thing",
      body: `<!-- speckit:run ${RUN} -->\nWhat was made.`,
      draft: true,
      labels: [],
      reviewers: [],
      assignees: [],
      ...other,
    }),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await github[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** One token for one host. */
export function onlyToken(host: string, token: string): GitCredentialSource {
  return {
    find: async (at) =>
      at.host === host ? { host, username: "x-access-token", token } : undefined,
  };
}

function recording(log: { message: string; fields: LogFields | undefined }[]): Logger {
  const write = (message: string, fields?: LogFields): void => void log.push({ message, fields });
  const logger: Logger = {
    debug: write,
    info: write,
    warn: write,
    error: write,
    with: () => logger,
  };
  return logger;
}
