export { gitWorkspace } from "./git-workspace.ts";
export {
  DEFAULT_GIT_DEADLINES,
  DEFAULT_GIT_LIMITS,
  type GitCredential,
  type GitDeadlines,
  type GitLimits,
  type GitWorkspaceOptions,
} from "./options.ts";
