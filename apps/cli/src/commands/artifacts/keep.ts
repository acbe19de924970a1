import type { ExitCode } from "@speckit/orchestrator";
import { openSession } from "../../open-session.ts";
import { printListing } from "./list.ts";

interface Options {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `speckit artifacts keep`: nothing of this run is deleted until it is released. */
export async function artifactsKeepCommand(
  runId: string,
  options: Options & { readonly reason?: string },
): Promise<ExitCode> {
  await using session = await openSession(options);
  await session.orchestrator.keepArtifacts(runId, options.reason);
  printListing(await session.orchestrator.artifacts(runId), options.json === true);
  return 0;
}

/** `speckit artifacts release`: its time counts again. */
export async function artifactsReleaseCommand(runId: string, options: Options): Promise<ExitCode> {
  await using session = await openSession(options);
  await session.orchestrator.releaseArtifacts(runId);
  printListing(await session.orchestrator.artifacts(runId), options.json === true);
  return 0;
}
