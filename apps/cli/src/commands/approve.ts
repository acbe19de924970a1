import type { ExitCode } from "@speckit/orchestrator";
import { giveInput } from "../give-input.ts";

export interface DecisionOptions {
  readonly phase?: string;
  readonly attempt?: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `speckit approve`: takes the result that a run waits with. */
export async function approveCommand(runId: string, options: DecisionOptions): Promise<ExitCode> {
  return giveInput(runId, { command: "approve", ...resultOf(options) }, options, "approved");
}

/** Which result is meant; left out: the one that waits. */
export function resultOf({ phase, attempt }: DecisionOptions): Readonly<Record<string, unknown>> {
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}
