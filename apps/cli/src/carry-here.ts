import { hostname } from "node:os";
import { type ExitCode, exitCodeOf, type RunRecord } from "@speckit/orchestrator";
import type { Session } from "./open-session.ts";
import { introduction } from "./output/introduction.ts";
import { outliveOutput } from "./output/lost-output.ts";
import { printResult } from "./output/print-result.ts";
import { progress } from "./output/progress.ts";
import { tellWaiting } from "./output/tell-waiting.ts";

export interface CarryOptions {
  readonly json?: boolean;
  readonly cancelOnInterrupt?: boolean;
}

/**
 * Carries one run in this process to its end (a fleet's run is only followed) and prints what it
 * comes to. Ctrl-C once hands it over: it stays `in_progress` and goes on where somebody carries it.
 *
 * @returns the process's exit code
 */
export async function carryHere(
  session: Session,
  run: RunRecord,
  options: CarryOptions,
): Promise<ExitCode> {
  const { orchestrator } = session;
  const { runId } = run;
  const out = options.json === true ? process.stderr : process.stdout;
  outliveOutput();
  out.write(`${await introduction(session, run)}\n`);
  const interrupted = new AbortController();
  using _signals = onInterrupt(interrupted, options.cancelOnInterrupt === true, async () => {
    await orchestrator.cancel(runId);
  });
  await using worker =
    session.isEmbedded && run.cleanedAt === null
      ? await orchestrator.work({ slots: 1, hostname: hostname(), only: runId })
      : undefined;
  {
    using shown = progress(out);
    const { signal } = interrupted;
    const following = { signal, untilAsked: true, onDatabaseAway: tellWaiting };
    for await (const event of orchestrator.follow(runId, following)) {
      shown.show(event);
    }
  }
  await worker?.drain();
  const result = await orchestrator.result(runId);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    printResult(result);
  }
  if (interrupted.signal.aborted && exitCodeOf(result.status) === 75) {
    out.write(`To go on: npx speckit resume ${runId}\n`);
    return 130;
  }
  return exitCodeOf(result.status);
}

/** First Ctrl-C or SIGTERM: hand over, or cancel and wait for the end. A second one ends at once. */
function onInterrupt(
  interrupted: AbortController,
  cancels: boolean,
  cancel: () => Promise<void>,
): Disposable {
  let signals = 0;
  const handle = (): void => {
    signals += 1;
    if (signals > 1) {
      process.exit(130);
    }
    if (cancels) {
      cancel().catch(() => interrupted.abort());
    } else {
      interrupted.abort();
    }
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return {
    [Symbol.dispose]() {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
    },
  };
}
