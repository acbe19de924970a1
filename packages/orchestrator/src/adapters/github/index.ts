export { type GitHubAppOptions, githubAppCredentials } from "./app-credentials.ts";
export { githubPullRequestHost } from "./github-host.ts";
export type { GitHubHostOptions, GitHubReach } from "./options.ts";
