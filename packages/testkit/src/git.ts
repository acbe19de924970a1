import { execa } from "execa";

/** Plain git on a repository: what the tests believe, rather than the code under test. */
export async function git(repository: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execa("git", ["-C", repository, ...args], {
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
  });
  return stdout;
}
