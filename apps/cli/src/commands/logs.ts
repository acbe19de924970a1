import { type EventRecord, type ExitCode, SpeckitError } from "@speckit/orchestrator";
import { followRun } from "../follow-run.ts";
import { openSession } from "../open-session.ts";

interface LogsOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const PAGE = 500;

/** `speckit logs`: a run's events, with what the agent said; `-f` goes on to the run's end. */
export async function logsCommand(runId: string, options: LogsOptions): Promise<ExitCode> {
  await using session = await openSession(options);
  const { orchestrator } = session;
  if ((await orchestrator.find(runId)) === undefined) {
    throw new SpeckitError("RUN_NOT_FOUND", `There is no run ${runId}`);
  }
  const print = (event: EventRecord): void => {
    process.stdout.write(`${options.json === true ? JSON.stringify(event) : line(event)}\n`);
  };
  if (options.follow === true) {
    const interrupted = new AbortController();
    process.once("SIGINT", () => interrupted.abort());
    for await (const event of followRun(orchestrator, runId, interrupted.signal)) {
      print(event);
    }
    return interrupted.signal.aborted ? 130 : 0;
  }
  for (let afterSeq = 0; ; ) {
    const events = await orchestrator.events(runId, { afterSeq, limit: PAGE });
    events.forEach(print);
    afterSeq = events.at(-1)?.seq ?? afterSeq;
    if (events.length < PAGE) {
      return 0;
    }
  }
}

function line(event: EventRecord): string {
  const time = event.createdAt.toISOString().slice(11, 23);
  const where = event.phase === null ? "" : ` ${event.phase}-${event.attempt}`;
  const { text, ...rest } = event.data;
  const said =
    typeof text === "string" ? text : Object.keys(rest).length > 0 ? JSON.stringify(rest) : "";
  return `${time} ${event.type}${where} ${said}`.trimEnd();
}
