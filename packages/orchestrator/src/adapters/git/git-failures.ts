import type { ErrorCode } from "../../domain/error-codes.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { pushRefusal } from "./push-refusal.ts";
import { remoteWords, shownWords } from "./remote-words.ts";

/** What was being done when git failed. */
export interface GitExit {
  /** For people, for example `fetch`. */
  readonly operation: string;
  /** Without a credential; undefined for a command that stays on this machine. */
  readonly remote: string | undefined;
  readonly pushes: boolean;
  readonly hasCredential: boolean;
  /** Git's words under LC_ALL=C. */
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** Failures some operation knows a way around. */
export type GitSign = "has_moved" | "not_served";

/** A failed git command. */
export class GitError extends SpeckitError {
  readonly sign: GitSign | undefined;

  constructor(code: ErrorCode, message: string, remedy?: string, sign?: GitSign) {
    super(code, message, remedy === undefined ? {} : { remedy });
    this.sign = sign;
  }
}

export function isSign(error: unknown, sign: GitSign): error is GitError {
  return error instanceof GitError && error.sign === sign;
}

interface Row {
  readonly words: RegExp;
  readonly code: ErrorCode | ((exit: GitExit) => ErrorCode);
  /** Follows the remote's name in the message. */
  readonly says: string;
  readonly remedy?: string;
  readonly sign?: GitSign;
}

const asksForCredentials = (exit: GitExit): ErrorCode =>
  exit.hasCredential ? "GIT_CREDENTIALS_REFUSED" : "GIT_CREDENTIALS_MISSING";

/**
 * Git's words and what they mean. Git has one exit code (128) for nearly everything, so the words of
 * the C locale are all there is; the first matching row wins. What nobody has named yet is
 * `GIT_FAILED`, which is retried.
 */
const ROWS: readonly Row[] = [
  {
    words: /No space left on device|Disk quota exceeded/,
    code: "DISK_FULL",
    says: "no space is left in the state folder",
  },
  {
    words:
      /failed to sign the data|gpg\.format|Load key "|ssh-keygen -Y sign is needed|Couldn't (?:load|read|get agent)|failed to write commit object/,
    code: (exit) => (exit.operation === "commit-tree" ? "COMMIT_NOT_SIGNED" : "GIT_FAILED"),
    says: "the commit could not be signed",
  },
  {
    words: /could not read (?:Username|Password) for|terminal prompts disabled/,
    code: asksForCredentials,
    says: "the remote asks for credentials",
  },
  {
    words: /Authentication failed for|requested URL returned error: 401|HTTP Basic: Access denied/,
    code: asksForCredentials,
    says: "the remote did not accept the credentials",
  },
  {
    words: /requested URL returned error: 403|HTTP 403\b/,
    code: (exit) => (exit.pushes ? "PUSH_REFUSED" : asksForCredentials(exit)),
    says: "the remote answered 403, forbidden",
  },
  {
    words:
      /Permission denied \((?:publickey|password|keyboard-interactive|gssapi)|Too many authentication failures/,
    code: "GIT_CREDENTIALS_REFUSED",
    says: "the ssh server accepted none of the keys",
    remedy:
      "Give the worker a key that may read and write the repository: SPECKIT_SSH_KEY_FILE, an ssh-agent, or ~/.ssh of its user.",
  },
  {
    words:
      /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY DETECTED|host key .* has changed/,
    code: "HOST_KEY_CHANGED",
    says: "the ssh server shows another key than the known one",
  },
  {
    words: /Host key verification failed|No \w+ host key is known/,
    code: "HOST_KEY_UNKNOWN",
    says: "the ssh server's key is not known here",
  },
  {
    // GitHub by ssh, where the server's words are not marked as such.
    words: /^ERROR: (?:This )?repository was archived/im,
    code: "PUSH_REFUSED",
    says: "the repository is archived",
  },
  {
    words: /^ERROR: Permission to \S+ denied/m,
    code: (exit) => (exit.pushes ? "PUSH_REFUSED" : "GIT_CREDENTIALS_REFUSED"),
    says: "the key's owner has no right to it",
  },
  {
    words:
      /deploy key .*read.?only|The key you are authenticating with has been marked as read only|Write access to repository not granted/i,
    code: "PUSH_REFUSED",
    says: "the key or token may not write",
  },
  {
    words:
      /repository '.*' not found|Repository not found|does not appear to be a git repository|requested URL returned error: (?:404|410)|The project you were looking for could not be found|fatal: no such repository/i,
    code: "REPOSITORY_NOT_FOUND",
    says: "there is no repository, or these credentials may not see it",
  },
  {
    words: /requested URL returned error: 30\d|unable to update url base from redirection/,
    code: "REPOSITORY_MOVED",
    says: "the repository has moved",
    sign: "has_moved",
  },
  {
    words:
      /info\/refs not valid: (?:is this a git repository|could not determine hash algorithm)|invalid server response|protocol error: bad line length character/,
    code: "REPOSITORY_NOT_FOUND",
    says: "what answers there is not a git server",
  },
  {
    words: /couldn't find remote ref/,
    code: "BASE_BRANCH_NOT_FOUND",
    says: "the branch is not at the remote",
  },
  {
    words: /Server does not allow request for unadvertised object|upload-pack: not our ref/,
    code: "BASE_BRANCH_NOT_FOUND",
    says: "the remote does not give that commit",
    remedy: "The branch was rewritten during the run: submit the request again.",
    sign: "not_served",
  },
  {
    words: /transport '.*' not allowed/,
    code: "REPOSITORY_NOT_ALLOWED",
    says: "its transport is not allowed here",
  },
  {
    words: /detected dubious ownership/,
    code: "REPOSITORY_NOT_ALLOWED",
    says: "the folder belongs to another user",
    remedy: "Give the folder to the worker's user, or use an https or ssh address.",
  },
  {
    words:
      /SSL certificate problem|server certificate verification failed|certificate subject name|SSL: no alternative certificate/,
    code: "GIT_UNREACHABLE",
    says: "its TLS certificate is not trusted here",
    remedy: "Set GIT_SSL_CAINFO (or SSL_CERT_FILE) to the certificate authority's file.",
  },
  {
    words: /requested URL returned error: (?:408|429|5\d\d)|HTTP (?:408|429|5\d\d)\b/,
    code: "GIT_UNREACHABLE",
    says: "the server answered with an error of its own",
  },
  {
    words:
      /object file .* is empty|loose object .* is corrupt|is corrupt|missing blob object|missing tree object|bad object/,
    code: "GIT_FAILED",
    says: "a local repository is damaged",
    remedy:
      "Delete the folder `cache` in the state folder while no worker runs: it is fetched again.",
  },
  {
    words: new RegExp(
      [
        "Could not resolve host",
        "Failed to connect",
        "Couldn't connect to server",
        "Connection refused",
        "[Cc]onnection timed out",
        "Connection (?:was )?reset",
        "Connection closed by",
        "No route to host",
        "Network is unreachable",
        "Operation timed out",
        "Operation too slow",
        "Empty reply from server",
        "gnutls_handshake",
        "TLS connection was non-properly terminated",
        "SSL_connect",
        "SSL_ERROR",
        "Proxy CONNECT aborted",
        "CONNECT tunnel failed",
        "RPC failed",
        "early EOF",
        "the remote end hung up",
        "unexpected disconnect",
        "unable to access",
        "expected flush after ref listing",
        "Could not read from remote repository",
      ].join("|"),
    ),
    code: "GIT_UNREACHABLE",
    says: "the remote could not be reached",
  },
];

/**
 * The error a failed git command stands for. Its message is one line of ours, never git's; of a refusal
 * it ends with the first words of the remote.
 */
export function gitFailure(exit: GitExit): GitError {
  const words = ownWords(exit.stderr);
  const row = ROWS.find((candidate) => candidate.words.test(words));
  if (row === undefined) {
    return new GitError("GIT_FAILED", `${named(exit)}: exit code ${exit.exitCode ?? "unknown"}`);
  }
  const code = typeof row.code === "function" ? row.code(exit) : row.code;
  return (
    explainedRefusal(exit, row, code) ??
    new GitError(code, `${named(exit)}: ${row.says}`, row.remedy, row.sign)
  );
}

/**
 * A refusal that the host explains: its words tell which one it is, and what to do. By ssh a push is
 * also refused in words alone, with an end of the connection that could mean anything.
 */
function explainedRefusal(exit: GitExit, row: Row, code: ErrorCode): GitError | undefined {
  const said = remoteWords(exit.stderr);
  const refusal = pushRefusal(said);
  const isNamed =
    (exit.pushes && refusal.code !== "PUSH_REFUSED") || refusal.code === "TOKEN_SCOPE_MISSING";
  if (code !== "PUSH_REFUSED" && code !== "GIT_CREDENTIALS_REFUSED") {
    return isNamed && exit.pushes && /Could not read from remote repository/.test(exit.stderr)
      ? new GitError(
          refusal.code,
          `${named(exit)}: the remote refused${shownWords(said)}`,
          refusal.remedy,
        )
      : undefined;
  }
  return new GitError(
    isNamed ? refusal.code : code,
    `${named(exit)}: ${row.says}${shownWords(said)}`,
    isNamed ? refusal.remedy : row.remedy,
  );
}

/** What a server says (`remote: …`) is text of its own choosing: it does not decide what has happened. */
function ownWords(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) => !line.startsWith("remote:"))
    .join("\n");
}

function named(exit: GitExit): string {
  return exit.remote === undefined
    ? `git ${exit.operation}`
    : `git ${exit.operation}, remote ${exit.remote}`;
}
