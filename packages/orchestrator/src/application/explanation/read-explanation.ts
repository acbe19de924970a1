import type { Explanation } from "../../contract/explanation.ts";
import { runNotFound } from "../../domain/speckit-error.ts";
import type { Dependencies } from "../dependencies.ts";
import { explainRun } from "./explain-run.ts";

/** Reads what is known of a run and explains it. @throws SpeckitError `RUN_NOT_FOUND` */
export async function readExplanation(
  { runs, surroundings }: Pick<Dependencies, "runs" | "surroundings">,
  runId: string,
): Promise<Explanation> {
  // What is around it first: a time of the run that has come meanwhile is then at most told as due.
  const around = await surroundings.surroundingsOf(runId);
  const run = await runs.findRun(runId);
  if (run === undefined || around === undefined) {
    throw runNotFound(runId);
  }
  const [attempts, artifacts] = await Promise.all([
    runs.attemptsOf(runId),
    runs.artifactsOf(runId),
  ]);
  return explainRun({ run, attempts, artifacts, around });
}
