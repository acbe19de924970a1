import type { ExitCode, RuntimeChoice } from "@speckit/orchestrator";
import { carryHere } from "../carry-here.ts";
import { openSession } from "../open-session.ts";
import { type RequestOptions, requestOf } from "../request-of.ts";

/** `speckit run`: stores a run and carries it here, or follows it where a fleet carries it. */
export async function runCommand(
  repository: string,
  sentence: string | undefined,
  options: RequestOptions & {
    readonly cancelOnInterrupt?: boolean;
    readonly unsafe?: boolean;
    readonly runtime?: RuntimeChoice;
  },
): Promise<ExitCode> {
  const request = await requestOf(repository, sentence, options);
  await using session = await openSession({ ...options, carries: true });
  const { run } = await session.orchestrator.submit(request);
  return await carryHere(session, run, options);
}
