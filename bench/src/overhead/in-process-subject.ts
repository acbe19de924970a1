import { hostname } from "node:os";
import { type NoopOptions, openNoopOrchestrator } from "../noop/noop-orchestrator.ts";
import { noopRequest } from "../noop/noop-request.ts";
import { toldRuns } from "../told-runs.ts";
import type { Subject } from "./subject.ts";

/** Submits to, and carries in, this process: PostgreSQL is all there is beside it. */
export async function inProcessSubject(options: NoopOptions): Promise<Subject> {
  await using undo = new AsyncDisposableStack();
  const told = toldRuns();
  const opened = undo.use(
    await openNoopOrchestrator(options, (deps) => ({
      ...deps,
      transport: {
        ...deps.transport,
        async publishEvent(event) {
          await deps.transport.publishEvent(event);
          told.hear(event);
        },
      },
    })),
  );
  const { orchestrator } = opened;
  undo.use(await orchestrator.work({ slots: options.slots, hostname: hostname() }));
  const owned = undo.move();
  return {
    pid: process.pid,
    async carry() {
      const { run } = await orchestrator.submit(noopRequest());
      await told.succeeded(run.runId);
      return run;
    },
    untilClosed: told.closed,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
