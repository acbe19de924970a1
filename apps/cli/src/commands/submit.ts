import type { ExitCode } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";
import { type RequestOptions, requestOf } from "../request-of.ts";

/** `speckit submit`: stores a run and returns; a worker carries it. */
export async function submitCommand(
  repository: string,
  sentence: string | undefined,
  options: RequestOptions,
): Promise<ExitCode> {
  const request = await requestOf(repository, sentence, options);
  await using session = await openSession(options);
  const { run, isNew } = await session.orchestrator.submit(request);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(await session.orchestrator.result(run.runId))}\n`);
    return 0;
  }
  const carrier = session.isEmbedded ? "\nIt needs a worker: npx speckit worker" : "";
  process.stdout.write(
    `run ${run.runId} ${isNew ? "stored" : `is there already (${run.status})`}\nbranch ${run.branch}${carrier}\n`,
  );
  return 0;
}
