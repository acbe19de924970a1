export type { CommitSigning } from "./commit-signing.ts";
export { diagnoseGit } from "./diagnose-git.ts";
export { gitWorkspace } from "./git-workspace.ts";
export { hiddenCredentials } from "./hidden-credentials.ts";
export {
  DEFAULT_GIT_DEADLINES,
  DEFAULT_GIT_LIMITS,
  type GitDeadlines,
  type GitLimits,
  type GitWorkspaceOptions,
} from "./options.ts";
export type { GitSsh } from "./ssh-command.ts";
export { staticCredentials } from "./static-credentials.ts";
