import { randomUUID } from "node:crypto";
import { type ExitCode, SpeckitError } from "@speckit/orchestrator";
import { carryHere } from "../carry-here.ts";
import { openSession } from "../open-session.ts";

/** Stands for an answer that is left to the agent. */
const LEFT_OPEN = "-";

/** `speckit answer`: closes a round of questions; the run goes on here (embedded) or in its fleet. */
export async function answerCommand(
  runId: string,
  answers: readonly string[],
  options: { readonly round?: number; readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession(options);
  const { orchestrator } = session;
  await orchestrator.command({
    schemaVersion: 1,
    commandId: randomUUID(),
    runId,
    command: "answer",
    answers: answers.map((answer) => (answer === LEFT_OPEN ? null : answer)),
    ...(options.round === undefined ? {} : { round: options.round }),
  });
  const run = await orchestrator.find(runId);
  if (run === undefined) {
    throw new SpeckitError("RUN_NOT_FOUND", `There is no run ${runId}`);
  }
  if (session.isEmbedded && !run.hasLiveLease) {
    return await carryHere(session, run, options);
  }
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(await orchestrator.result(runId))}\n`
      : "answered: the fleet goes on with it\n",
  );
  return 0;
}
