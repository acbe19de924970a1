import type { ExitCode } from "@speckit/orchestrator";
import { giveInput } from "../give-input.ts";
import { readSentence } from "../read-sentence.ts";
import { type DecisionOptions, resultOf } from "./approve.ts";

/** `speckit reject`: the phase whose result a run waits with starts again, with the comment. */
export async function rejectCommand(
  runId: string,
  options: DecisionOptions & { readonly comment: string },
): Promise<ExitCode> {
  const comment = await readSentence(options.comment, undefined);
  return giveInput(
    runId,
    { command: "reject", comment, ...resultOf(options) },
    options,
    "rejected",
  );
}
