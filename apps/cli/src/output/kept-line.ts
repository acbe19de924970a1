import type { ArtifactListing } from "@speckit/orchestrator";
import { visible } from "./visible.ts";

/** How long artifacts are kept, for people. */
export function keptLine({
  expireAt,
  deletedAt,
  kept,
}: Pick<ArtifactListing, "expireAt" | "deletedAt" | "kept">): string {
  if (deletedAt !== null) {
    return `deleted at ${deletedAt.toISOString()}`;
  }
  if (kept !== null) {
    const reason = kept.reason === null ? "" : `: ${visible(kept.reason)}`;
    return `kept until they are released, since ${kept.since.toISOString()}${reason}`;
  }
  return expireAt === null
    ? "kept at least until a week after the run's end"
    : `kept at least until ${expireAt.toISOString()}`;
}
