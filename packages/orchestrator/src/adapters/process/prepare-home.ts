import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobSpec } from "../../ports/job-runtime.ts";

/** Below HOME, so that it goes when the attempt's folders go. */
const TMP_FOLDER = "tmp";

/**
 * The whole environment of an agent: PATH, HOME, LANG and TMPDIR, then what the spec adds or
 * replaces. Of the worker's own environment only PATH is taken.
 */
export function agentEnvironment(spec: Pick<JobSpec, "env" | "home">): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: spec.home,
    LANG: "C.UTF-8",
    TMPDIR: join(spec.home, TMP_FOLDER),
    ...spec.env,
  };
}

/**
 * Makes the job's HOME and writes the spec's files into it, readable for this user alone.
 *
 * @throws SpeckitError `INTERNAL_ERROR` for a file that would leave HOME, `DISK_FULL`
 */
export async function prepareHome(spec: Pick<JobSpec, "files" | "home">): Promise<void> {
  try {
    await mkdir(join(spec.home, TMP_FOLDER), { recursive: true, mode: 0o700 });
    for (const { path, content } of spec.files) {
      const target = join(spec.home, path);
      if (path === "" || path.startsWith("/") || !target.startsWith(normalize(spec.home) + sep)) {
        throw new SpeckitError(
          "INTERNAL_ERROR",
          `A backend's file must be relative to HOME and stay in it, not ${JSON.stringify(path)}`,
        );
      }
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, content, { mode: 0o600 });
    }
  } catch (error) {
    throw namedError(error, spec.home);
  }
}

function namedError(cause: unknown, home: string): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new SpeckitError("DISK_FULL", `No space left for the agent's HOME ${home}`, { cause })
    : cause;
}
