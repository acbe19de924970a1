import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckName } from "../../ports/checks.ts";
import { type Diagnosis, fine, notLookedAt, problem, problemOf } from "../../ports/diagnosis.ts";
import { checkSshFiles } from "./check-key-file.ts";
import { signingCommand } from "./commit-signing.ts";
import { foldersBelow } from "./folders.ts";
import { type GitCommand, gitRunner } from "./git-command.ts";
import { inParallel } from "./in-parallel.ts";
import { DEFAULT_GIT_DEADLINES, type GitWorkspaceOptions } from "./options.ts";
import { tryPush } from "./try-push.ts";

const OLDEST = [2, 31] as const;
const LOCAL_MS = 10_000;
const REMOTE_MS = 10_000;
const AT_ONCE = 20;

export interface GitSubject
  extends Pick<
    GitWorkspaceOptions,
    "identity" | "credentials" | "ssh" | "signing" | "allowFile" | "logger" | "environment"
  > {
  /** As `parseRepository` gives them; those that are tried. */
  readonly gitRemotes: readonly string[];
}

/**
 * Looks at git as workers use it: the program, files of keys, a signed commit and pushes that stop before
 * they change anything. What it needs for that is made in a temporary folder.
 */
export async function diagnoseGit(subject: GitSubject): Promise<readonly Diagnosis[]> {
  const { environment = process.env, signing, ssh } = subject;
  const folder = await mkdtemp(join(tmpdir(), "speckit-doctor-"));
  try {
    const deadlines = { ...DEFAULT_GIT_DEADLINES, localMs: LOCAL_MS, askMs: REMOTE_MS };
    const git = gitRunner({ ...subject, environment, stateDir: folder, deadlines });
    const text = async (
      args: readonly [string, ...string[]],
      more: Pick<GitCommand, "gitDir" | "env" | "config"> = {},
    ): Promise<string> =>
      (await git({ args, ...more }, AbortSignal.timeout(LOCAL_MS))).stdout.toString().trim();

    const [program] = await orProblem("git.program", async () =>
      versionOf(await text(["version"])),
    );
    if (program?.state !== "ok") {
      const others = ["git.signing-key", "git.push"] as const;
      return [
        ...(program === undefined ? [] : [program]),
        ...others.map((check) => notLookedAt(check, "there is no git to try it with")),
      ];
    }
    const gitDir = join(folder, "tried.git");
    await text(["init", "--quiet", "--bare", "--template=", gitDir]);
    const { name, email } = subject.identity;
    const who = {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    };
    const tree = await text(["hash-object", "-t", "tree", "-w", "/dev/null"], { gitDir });
    const commit = await text(["commit-tree", tree, "-m", "speckit doctor"], { gitDir, env: who });
    return [
      program,
      ...(await orProblem("git.ssh-files", async () => {
        await checkSshFiles(ssh ?? {});
        return fine(
          "git.ssh-files",
          ssh === undefined ? "those of this user" : "can be read, the key by its owner alone",
        );
      })),
      ...(await orProblem("git.signing-key", async () => {
        if (signing === undefined) {
          return fine("git.signing-key", "commits are not signed");
        }
        const { config, env } = await signingCommand(signing, environment);
        await text(["commit-tree", "-S", tree, "-m", "speckit doctor"], {
          gitDir,
          config,
          env: { ...who, ...env },
        });
        return fine("git.signing-key", `the ${signing.kind} key signs`);
      })),
      ...(await tryAll(subject, (gitRemote) =>
        tryPush(
          { git, folders: foldersBelow(folder), allowFile: subject.allowFile, deadlines },
          { gitRemote, gitDir, commit },
          AbortSignal.timeout(2 * REMOTE_MS),
        ),
      )),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function versionOf(said: string): Diagnosis {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(said) ?? [];
  const isOld =
    Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  return isOld ? problem("git.program", `${said}, too old`) : fine("git.program", said);
}

async function tryAll(
  { gitRemotes }: GitSubject,
  attempt: (gitRemote: string) => Promise<void>,
): Promise<readonly Diagnosis[]> {
  const found = new Map<string, Diagnosis>();
  await inParallel(gitRemotes, AT_ONCE, async (gitRemote) => {
    const [told] = await orProblem("git.push", async () => {
      await attempt(gitRemote);
      return fine("git.push", `${gitRemote}: may be pushed to`);
    });
    found.set(gitRemote, told);
  });
  return gitRemotes.flatMap((gitRemote) => found.get(gitRemote) ?? []);
}

async function orProblem(
  check: CheckName,
  look: () => Promise<Diagnosis>,
): Promise<readonly [Diagnosis]> {
  try {
    return [await look()];
  } catch (error) {
    return [problemOf(check, error)];
  }
}
