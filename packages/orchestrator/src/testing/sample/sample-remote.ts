import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { sampleProjectFiles } from "../sample-project.ts";

/** Reproducible: the same files always give the same first commit. */
const ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Sample",
  GIT_AUTHOR_EMAIL: "sample@localhost",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "Sample",
  GIT_COMMITTER_EMAIL: "sample@localhost",
  GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
};

/**
 * A bare repository with a small Spec Kit project at `<folder>/remote.git`, made when it is missing.
 *
 * @param more files added to the sample, or replacing some of it, by path
 * @param files the sample
 * @returns its absolute path
 */
export async function makeSampleRemote(
  folder: string,
  more: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = sampleProjectFiles(),
): Promise<string> {
  const remote = join(folder, "remote.git");
  if (existsSync(join(remote, "HEAD"))) {
    return remote;
  }
  const sample = join(folder, "sample");
  await rm(sample, { recursive: true, force: true });
  await rm(`${remote}.new`, { recursive: true, force: true });
  for (const [path, content] of Object.entries({ ...files, ...more })) {
    await mkdir(dirname(join(sample, path)), { recursive: true });
    await writeFile(join(sample, path), content);
  }
  const git = (...args: readonly string[]) => execa("git", args, { cwd: sample, env: ENV });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all", "--force");
  await git("commit", "--quiet", "--message", "Start a service with Spec Kit");
  await git("clone", "--quiet", "--bare", sample, `${remote}.new`);
  await rename(`${remote}.new`, remote);
  return remote;
}
