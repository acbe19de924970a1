import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitContext } from "./context.ts";
import { tipRef } from "./run-repository.ts";

/** The bundle `base..tip`: with the remote, all that another machine needs to go on. */
export async function makeCheckpoint(
  context: GitContext,
  gitDir: string,
  baseSha: string,
  tipSha: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (baseSha === tipSha) {
    return undefined;
  }
  const maxBytes = context.limits.checkpointMaxBytes;
  const { stdout, cut } = await context.git(
    {
      args: ["bundle", "create", "--quiet", "-", tipRef(tipSha), `^${baseSha}`],
      gitDir,
      maxBytes,
    },
    signal,
  );
  if (cut) {
    throw new SpeckitError(
      "WORKSPACE_TOO_LARGE",
      `The run's changes make a checkpoint of more than ${maxBytes} bytes`,
    );
  }
  return new Uint8Array(stdout);
}
