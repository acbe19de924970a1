import type { AgentPhase } from "../../domain/phase.ts";
import type { NewEvent } from "../../ports/attempt-commit.ts";
import type { EgressAccess, EgressEntry } from "../../ports/egress.ts";
import { untilAvailable } from "../until-available.ts";
import type { PhaseContext } from "./phase-work.ts";

/** The event is for a glance; the artifact has them all. */
const TOLD_DENIALS = 20;

/**
 * Keeps what an attempt has reached and was refused as `egress.json`, where something is allowed to it.
 *
 * @returns the event that tells of it; undefined where nothing is allowed and nothing was asked for
 */
export async function keepEgress(
  { deps, run, attempt, signal, evidence }: PhaseContext,
  phase: AgentPhase,
  { allowed, report }: EgressAccess,
): Promise<Pick<NewEvent, "type" | "data"> | undefined> {
  const entries = await untilAvailable(deps, signal, report);
  if (allowed.length === 0 && entries.length === 0) {
    return undefined;
  }
  const passed = entries.filter(({ outcome }) => outcome === "passed");
  const denied = entries.filter(({ outcome }) => outcome !== "passed");
  const denials = denied.map(({ host, port, outcome: reason, requests }) => ({
    host,
    port,
    reason,
    requests,
  }));
  const kept = {
    allowed,
    passed: passed.map(({ outcome: _passed, ...entry }) => entry),
    denied: denials,
  };
  const artifact = await deps.artifacts.put(
    run.runId,
    `${phase}-${attempt}/egress.json`,
    `${JSON.stringify(kept, null, 2)}\n`,
  );
  evidence.artifacts.push(artifact);
  return {
    type: "phase.egress",
    data: {
      artifact: artifact.name,
      passed: sum(passed, "requests"),
      denied: sum(denied, "requests"),
      bytesUp: sum(passed, "bytesUp"),
      bytesDown: sum(passed, "bytesDown"),
      denials: denials.slice(0, TOLD_DENIALS),
    },
  };
}

function sum(entries: readonly EgressEntry[], field: "requests" | "bytesUp" | "bytesDown"): number {
  return entries.reduce((total, entry) => total + entry[field], 0);
}
