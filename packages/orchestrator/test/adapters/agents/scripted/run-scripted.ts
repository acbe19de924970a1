import { scriptedBackend } from "../../../../src/adapters/agents/index.ts";
import { processRuntime } from "../../../../src/adapters/process/index.ts";
import type { AgentPhase } from "../../../../src/domain/phase.ts";
import {
  type CarriedOut,
  carryOutPhase,
} from "../../../../src/testing/agent-backend/carry-out-phase.ts";

export {
  SUITE_DIRECTORY as DIRECTORY,
  SUITE_RUN_ID as RUN_ID,
  writeFiles,
} from "../../../../src/testing/agent-backend/carry-out-phase.ts";

const runtime = processRuntime({ termGraceMs: 200 });

/** Runs one phase of the scripted agent in `<folder>/workspace` and tells what it left, as git would. */
export function runScripted(
  folder: string,
  phase: AgentPhase,
  { sentence, attempt = 1 }: { readonly sentence?: string; readonly attempt?: number } = {},
): Promise<CarriedOut> {
  return carryOutPhase({ backend: scriptedBackend(), runtime }, folder, phase, {
    attempt,
    ...(sentence === undefined || phase !== "specify" ? {} : { arguments: sentence }),
  });
}
