import type { ExitCode } from "@speckit/orchestrator";
import { giveInput } from "../give-input.ts";

/** Stands for an answer that is left to the agent. */
const LEFT_OPEN = "-";

/** `speckit answer`: closes a round of questions. */
export async function answerCommand(
  runId: string,
  answers: readonly string[],
  options: { readonly round?: number; readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  const { round } = options;
  const command = {
    command: "answer",
    answers: answers.map((answer) => (answer === LEFT_OPEN ? null : answer)),
    ...(round === undefined ? {} : { round }),
  };
  return giveInput(runId, command, options, "answered");
}
