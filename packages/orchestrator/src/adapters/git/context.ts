import type { Logger } from "../../ports/logger.ts";
import type { SigningCommand } from "./commit-signing.ts";
import type { Folders } from "./folders.ts";
import type { Git } from "./git-command.ts";
import type { GitDeadlines, GitLimits, GitWorkspaceOptions } from "./options.ts";

/** What every operation of this adapter works with. */
export interface GitContext {
  readonly git: Git;
  readonly folders: Folders;
  readonly identity: GitWorkspaceOptions["identity"];
  readonly trailers: readonly string[];
  /** What a command that makes a commit is given to sign it; undefined: it is not signed. */
  readonly signingCommand: () => Promise<SigningCommand | undefined>;
  readonly allowFile: boolean;
  readonly limits: GitLimits;
  readonly deadlines: GitDeadlines;
  readonly logger: Logger;
}
