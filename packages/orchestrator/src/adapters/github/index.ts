export { type GitHubAppOptions, githubAppCredentials } from "./app-credentials.ts";
export { githubPullRequestHost } from "./github-host.ts";
export { DEFAULT_API_URL, type GitHubHostOptions, type GitHubReach } from "./options.ts";
