import { createHash } from "node:crypto";
import { join } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";

/** How a repository names its objects; its ids tell. */
export type ObjectFormat = "sha1" | "sha256";

export function objectFormatOf(sha: string): ObjectFormat {
  return sha.length === 64 ? "sha256" : "sha1";
}

export interface Folders {
  readonly stateDir: string;
  readonly caches: string;
  /** One bare repository per remote and object format: a remote that is made anew may change it. */
  readonly cache: (gitRemote: string, format: ObjectFormat) => string;
  /** Configuration for the remote's own side of a `file://` transport. */
  readonly remoteConfig: (gitRemote: string) => string;
  readonly runs: string;
  readonly run: (runId: string) => string;
  readonly runRepository: (runId: string) => string;
  readonly attempt: (runId: string, attempt: AttemptName) => string;
}

export interface AttemptName {
  readonly phase: string;
  readonly attempt: number;
}

/** The layout of the state folder. Names that could leave it are refused. */
export function foldersBelow(stateDir: string): Folders {
  const caches = join(stateDir, "cache");
  const runs = join(stateDir, "runs");
  const run = (runId: string) => join(runs, plainName("runId", runId));
  return {
    stateDir,
    caches,
    cache: (gitRemote, format) =>
      join(caches, `${sha256(gitRemote)}${format === "sha1" ? "" : `.${format}`}.git`),
    remoteConfig: (gitRemote) => join(caches, `${sha256(gitRemote)}.gitconfig`),
    runs,
    run,
    runRepository: (runId) => join(run(runId), "git"),
    attempt: (runId, { phase, attempt }) =>
      join(run(runId), `${plainName("phase", phase)}-${plainName("attempt", String(attempt))}`),
  };
}

function plainName(what: string, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)) {
    throw new SpeckitError(
      "INTERNAL_ERROR",
      `${what} cannot name a folder: expected letters, digits, '-' and '_', got ${JSON.stringify(name.slice(0, 100))}`,
    );
  }
  return name;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
