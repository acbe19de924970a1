import type { ArtifactListing, ExitCode } from "@speckit/orchestrator";
import { openSession } from "../../open-session.ts";
import { keptLine } from "../../output/kept-line.ts";
import { visible } from "../../output/visible.ts";

/** `speckit artifacts list`: what is on record of a run's artifacts. */
export async function artifactsListCommand(
  runId: string,
  options: { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession(options);
  printListing(await session.orchestrator.artifacts(runId), options.json === true);
  return 0;
}

export function printListing(listing: ArtifactListing, asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify(listing)}\n`);
    return;
  }
  const width = Math.max(0, ...listing.artifacts.map(({ bytes }) => String(bytes).length));
  const lines = listing.artifacts.map(
    ({ name, bytes, sha256, truncated }) =>
      `${String(bytes).padStart(width)}  ${sha256.slice(0, 12)}  ${visible(name)}${truncated === true ? "  (truncated)" : ""}`,
  );
  process.stdout.write(`${[keptLine(listing), ...lines].join("\n")}\n`);
}
