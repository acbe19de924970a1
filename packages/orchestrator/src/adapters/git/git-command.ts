import { stat } from "node:fs/promises";
import { execa } from "execa";
import { secretMasker } from "../../domain/secret-forms.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitCredential, GitCredentialSource } from "../../ports/git-credentials.ts";
import type { Logger } from "../../ports/logger.ts";
import { checkSshFiles } from "./check-key-file.ts";
import type { CheckedRemote } from "./checked-remote.ts";
import { credentialFor } from "./credential-for.ts";
import { gitEnvironment } from "./git-environment.ts";
import { gitFailure } from "./git-failures.ts";
import type { GitDeadlines } from "./options.ts";
import type { GitSsh } from "./ssh-command.ts";

export interface GitCommand {
  /** The first is the subcommand. Untrusted ones stand after `--`. */
  readonly args: readonly [string, ...string[]];
  /** Undefined: the command has no repository. */
  readonly gitDir?: string;
  /** A folder no agent can write to. */
  readonly workTree?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Put above every configuration file. */
  readonly config?: readonly (readonly [string, string])[];
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The remote the command may talk to; without it every transport is off. */
  readonly remote?: CheckedRemote;
  /** Configuration file of the far side of a `file` remote. */
  readonly remoteConfig?: string;
  readonly deadlineMs?: number;
  /** More of stdout ends the command, and the answer is `cut`. Without it 256 MiB are a failure. */
  readonly maxBytes?: number;
  /** Exit codes that are answers; default only 0. */
  readonly answers?: readonly number[];
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** Without the credential. */
  readonly stderr: string;
  /** The command had a credential for its remote. */
  readonly hasCredential: boolean;
  /** The output was longer than `maxBytes`; `stdout` has its beginning. */
  readonly cut: boolean;
}

/**
 * Runs one git command in its closed environment and its own process group, which ends with it.
 *
 * Rejects with the signal's reason when the signal aborts, with what the source of credentials
 * throws, else with a SpeckitError of the failure table; `GIT_UNREACHABLE` or `GIT_FAILED` when the deadline passes.
 */
export type Git = (command: GitCommand, signal: AbortSignal) => Promise<GitAnswer>;

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** Time for git to remove its lock files before it is killed. */
const GRACE_MS = 2_000;
const STDERR_MAX_BYTES = 1024 * 1024;

export function gitRunner(about: {
  readonly stateDir: string;
  readonly credentials: GitCredentialSource;
  readonly ssh?: GitSsh;
  readonly deadlines: GitDeadlines;
  readonly logger: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Git {
  return async (command, signal) => {
    signal.throwIfAborted();
    const { remote } = command;
    if (remote?.transport === "ssh" && about.ssh !== undefined) {
      await checkSshFiles(about.ssh);
    }
    const deadlineMs = command.deadlineMs ?? about.deadlines.localMs;
    const [operation] = command.args;
    const pushes = operation === "push";
    const purpose = pushes ? "push" : "read";
    const credential = remote && (await credentialFor(about.credentials, remote, purpose, signal));
    signal.throwIfAborted();
    const cwd = command.workTree ?? command.gitDir ?? about.stateDir;
    const result = await execa("git", command.args, {
      cwd,
      env: {
        ...gitEnvironment(about.environment, {
          remote,
          credential,
          remoteConfig: command.remoteConfig,
          ssh: about.ssh ?? {},
          config: command.config ?? [],
        }),
        ...(command.gitDir === undefined ? {} : { GIT_DIR: command.gitDir }),
        ...(command.workTree === undefined ? {} : { GIT_WORK_TREE: command.workTree }),
        ...command.env,
      },
      extendEnv: false,
      ...inputOption(command.input),
      encoding: "buffer",
      reject: false,
      stripFinalNewline: false,
      maxBuffer: { stdout: command.maxBytes ?? DEFAULT_MAX_BYTES, stderr: STDERR_MAX_BYTES },
      timeout: deadlineMs,
      cancelSignal: signal,
      killDescendants: true,
      forceKillAfterDelay: GRACE_MS,
    });
    signal.throwIfAborted();
    const stdout = Buffer.from(result.stdout ?? []);
    const stderr = without(credential, Buffer.from(result.stderr ?? []).toString("utf8"));
    const hasCredential = credential !== undefined;
    const { exitCode } = result;
    if (result.isMaxBuffer && command.maxBytes !== undefined && stdout.length >= command.maxBytes) {
      return { exitCode: exitCode ?? 0, stdout, stderr, hasCredential, cut: true };
    }
    if (
      !result.isMaxBuffer &&
      exitCode !== undefined &&
      (command.answers ?? [0]).includes(exitCode)
    ) {
      return { exitCode, stdout, stderr, hasCredential, cut: false };
    }
    if (result.timedOut) {
      throw new SpeckitError(
        remote === undefined ? "GIT_FAILED" : "GIT_UNREACHABLE",
        `git ${operation}${remote === undefined ? "" : `, remote ${remote.gitRemote}`}: not done within ${deadlineMs} ms`,
      );
    }
    if (result.code === "ENOENT" && exitCode === undefined) {
      throw (await isFolder(cwd)) ? notStarted(operation, result.cause) : vanished(operation, cwd);
    }
    about.logger.warn("git failed", {
      operation,
      remote: remote?.gitRemote,
      exitCode,
      signal: result.signal,
      stderr: stderr.length > LOGGED_MAX_LENGTH ? `…${stderr.slice(-LOGGED_MAX_LENGTH)}` : stderr,
    });
    throw gitFailure({
      operation,
      remote: remote?.gitRemote,
      pushes,
      hasCredential,
      stderr,
      exitCode,
    });
  };
}

function inputOption(input: GitCommand["input"]) {
  if (input === undefined) {
    return { stdin: "ignore" } as const;
  }
  return typeof input === "string" || input instanceof Uint8Array ? { input } : { stdin: input };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

/** Somebody has removed it meanwhile: the next try makes it anew. */
function vanished(operation: string, folder: string): SpeckitError {
  return new SpeckitError("GIT_FAILED", `git ${operation}: the folder ${folder} is gone`);
}

function notStarted(operation: string, cause: unknown): SpeckitError {
  return new SpeckitError(
    "CONFIGURATION_INVALID",
    `git ${operation} could not be started: expected git on the PATH`,
    { remedy: "Install git (2.31 or newer) and put it on the worker's PATH.", cause },
  );
}

const LOGGED_MAX_LENGTH = 4_000;

function without(credential: GitCredential | undefined, text: string): string {
  return credential === undefined ? text : secretMasker([credential.token])(text);
}
