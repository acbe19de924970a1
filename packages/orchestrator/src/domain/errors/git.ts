import type { ErrorCodeFacts } from "./error-code-facts.ts";

/** Of the repository, its git host and what is pushed there. */
export const GIT_CODES = {
  BRANCH_DIVERGED: {
    class: "permanent",
    meaning: "The branch exists at the remote and is not an ancestor of what would be pushed.",
    remedy: "Name another branch, or delete the one at the remote.",
  },
  BASE_BRANCH_NOT_FOUND: {
    class: "permanent",
    meaning: "`baseBranch` does not exist at the remote.",
    remedy: "Name an existing branch, or leave baseBranch out to use the remote's default.",
  },
  REPOSITORY_NOT_FOUND: {
    class: "permanent",
    meaning: "There is no git repository at the remote, or these credentials may not see it.",
    remedy: "Check the address, and that the credential may read it.",
  },
  REPOSITORY_EMPTY: {
    class: "permanent",
    meaning: "The remote has no commit.",
    remedy: "Push a first commit with Spec Kit's files to it.",
  },
  GIT_CREDENTIALS_MISSING: {
    class: "permanent",
    meaning: "The remote asks for credentials and none are configured for its host.",
    remedy: "Set GITHUB_TOKEN, or SPECKIT_GIT_TOKEN with SPECKIT_GIT_HOST for another host.",
  },
  GIT_CREDENTIALS_REFUSED: {
    class: "permanent",
    meaning: "The remote refused the configured credentials.",
    remedy: "Check that the token is valid and may read and write the repository.",
  },
  GIT_UNREACHABLE: {
    class: "transient",
    meaning: "The remote could not be reached, or answered with a server error.",
    remedy: "It is retried; check the network, proxy and certificate settings if it persists.",
  },
  GIT_FAILED: {
    class: "transient",
    meaning: "A git command failed in a way that has no name yet.",
    remedy: "It is retried; the log has git's own words.",
  },
  PUSH_REFUSED: {
    class: "permanent",
    meaning: "The remote refused the push: no right to write, or a hook said no.",
    remedy:
      "Give the credential write access, or name a branch it may push; bundle and patch are kept.",
  },
  PULL_REQUEST_HOST_LIMITED: {
    class: "transient",
    meaning:
      "The git host limits how often its API may be used, for longer than is waited inside one call.",
    remedy:
      "It is retried; the message says until when the limit lasts. Give each deployment a token or an App of its own if it persists.",
  },
  PULL_REQUEST_HOST_UNAVAILABLE: {
    class: "transient",
    meaning: "The git host's API could not be reached, or answered with a server error.",
    remedy:
      "It is retried; check the host's status page, GITHUB_API_URL, proxy and certificate settings if it persists.",
  },
  PULL_REQUEST_REFUSED: {
    class: "permanent",
    meaning:
      "The git host refused the pull request itself: validation, or a rule of the repository.",
    remedy:
      "The host's own words are in the message. The branch is pushed: open the pull request by hand, or put the cause right and `speckit retry`.",
  },
  TOKEN_SCOPE_MISSING: {
    class: "permanent",
    meaning:
      "The token is valid, but lacks a scope or permission that is needed; the message names it.",
    remedy:
      "Give the token or the App's installation the named scope; docs/pull-requests.md lists what is needed; bundle and patch are kept.",
  },
  REPOSITORY_ARCHIVED: {
    class: "permanent",
    meaning: "The repository is archived, and so read-only.",
    remedy: "Unarchive it at its host, or name another repository; bundle and patch are kept.",
  },
  REPOSITORY_MOVED: {
    class: "permanent",
    meaning: "The repository was renamed or transferred.",
    remedy: "Use the repository's new address: its old page at the host leads there.",
  },
  PUBLISH_REFUSED: {
    class: "permanent",
    meaning:
      "The run's commits hold what may not be pushed: another path, a workflow, a large file, a secret.",
    remedy:
      "The findings name each; nothing was pushed, bundle and patch are kept. Make a found secret invalid; allow a path by SPECKIT_PUBLISH_PATHS, sizes by SPECKIT_PUBLISH_MAX_FILES and SPECKIT_PUBLISH_MAX_FILE_BYTES, workflows by SPECKIT_PUBLISH_WORKFLOWS.",
  },
  BRANCH_PROTECTED: {
    class: "permanent",
    meaning: "The remote refused the push because a rule protects the branch.",
    remedy:
      "Name a branch that no rule covers, or let the credential's owner pass the rule; bundle and patch are kept.",
  },
  HOST_KEY_UNKNOWN: {
    class: "permanent",
    meaning: "The ssh server's key is not among the known ones.",
    remedy:
      "Take the server's public key from its operator and add it to the file SPECKIT_SSH_KNOWN_HOSTS_FILE names, or to known_hosts of the worker's user.",
  },
  HOST_KEY_CHANGED: {
    class: "permanent",
    meaning: "The ssh server shows another key than the known one: a new key, or another server.",
    remedy:
      "Ask the server's operator. If the key is new, replace the old one in the file of known hosts.",
  },
  COMMIT_NOT_SIGNED: {
    class: "permanent",
    meaning: "A commit could not be signed with the configured key.",
    remedy:
      "Check SPECKIT_COMMIT_SIGNING_KEY_FILE or SPECKIT_COMMIT_GPG_KEY: the key must be there, and have no passphrase.",
  },
  NOT_A_SPEC_KIT_PROJECT: {
    class: "permanent",
    meaning: "The base commit has no Spec Kit files, or not in the named projectDirectory.",
    remedy:
      "Run `specify init --here --force --integration codex --script sh` in the repository, commit and push.",
  },
  SPEC_KIT_LAYOUT_UNSUPPORTED: {
    class: "permanent",
    meaning: "The base commit has Spec Kit files, but no skill or command file for an asked phase.",
    remedy:
      "Run `specify init --here --force --integration codex --script sh` with a current Spec Kit, commit and push.",
  },
  SPEC_KIT_INIT_FAILED: {
    class: "permanent",
    meaning: "SPECKIT_SPECIFY_INIT is on, but the repository could not be made a Spec Kit project.",
    remedy:
      "Install Spec Kit's command for the worker (`uv tool install specify-cli`) or name it in SPECKIT_SPECIFY_COMMAND; or run `specify init --here --force --integration codex --script sh` in the repository, commit and push.",
  },
  PROJECT_DIRECTORY_NEEDED: {
    class: "permanent",
    meaning: "The base commit has several Spec Kit projects, and the request names none of them.",
    remedy: "Name one of the listed folders as `projectDirectory` (`--project-directory`).",
  },
  DOCUMENT_MISSING: {
    class: "permanent",
    meaning: "An asked phase builds on a document that the base commit does not have.",
    remedy:
      "Ask for the phase that writes it as well, or name the branch and `featureDirectory` that have it.",
  },
} as const satisfies Record<string, ErrorCodeFacts>;
