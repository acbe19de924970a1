/**
 * A worker on a volume of 64 MiB that gets full and has space again; prints what became of its runs.
 * Arguments: database, state folder on that volume.
 */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@speckit/testkit";
import pg from "pg";
import type { Dependencies } from "../../src/application/dependencies.ts";
import { openOrchestrator } from "../../src/node/index.ts";
import { metricsRecorder } from "../../src/testing/metrics-recorder.ts";
import { busyWorker, submitOne, untilThere } from "./busy-day.ts";

const MIB = 1_024 ** 2;
const [databaseUrl = "", stateDir = ""] = process.argv.slice(2);
const filler = join(stateDir, "filler");
const { metrics, counted } = metricsRecorder();
const pauses = (): number => counted("intake_pauses");

let composed: Dependencies | undefined;
await using open = await openOrchestrator(
  {
    databaseUrl,
    stateDir,
    logLevel: "error",
    settings: { sweepMs: 200, freeBytesFloor: 32 * MIB },
  },
  {
    metrics,
    compose: (deps) => {
      composed = busyWorker({ deps, stateDir });
      return composed;
    },
  },
);
const deps = composed as Dependencies;
const { orchestrator } = open;
await using worker = await orchestrator.work({ slots: 2, hostname: "small" });
const statusOf = async (runId: string) => (await orchestrator.result(runId)).status;
const shortOf = async () => worker.waitingFor();

const asking = await submitOne(deps, "asks");
await untilThere(deps, asking);
await writeFile(filler, Buffer.alloc(40 * MIB));
const why = await eventually("no space", shortOf, (text) => text !== undefined);

const fresh = await submitOne(deps, "succeeded");
// As a continuation too: a wake-up that found no free slot comes that way.
await orchestrator.wake(fresh);
const [command, commandId] = ["answer", randomUUID()];
await orchestrator.command({
  ...{ schemaVersion: 1, commandId, runId: asking, command },
  answers: ["The first"],
});
await eventually(
  "it goes on",
  () => statusOf(asking),
  (status) => status === "succeeded",
);
const [begunBefore, newMeanwhile] = [await statusOf(asking), await statusOf(fresh)];

await rm(filler);
await untilThere(deps, fresh);
const newAfterwards = await statusOf(fresh);
const before = pauses();

// Artifacts whose time is over are deleted before anybody has to wait.
const client = new pg.Client({ connectionString: databaseUrl });
await client.connect();
await client.query(
  "UPDATE spec_workflow_runs SET artifacts_expire_at = clock_timestamp() WHERE id = $1",
  [fresh],
);
await client.end();
await writeFile(join(stateDir, "artifacts", fresh, "run.patch"), Buffer.alloc(40 * MIB));
await eventually(
  "they are deleted",
  () => deps.artifacts.runsHere(),
  (runIds) => !runIds.includes(fresh),
);
process.stdout.write(
  JSON.stringify({
    ...{ why, begunBefore, newMeanwhile, newAfterwards, pauses: before },
    pausesForWhatCanGo: pauses() - before,
  }),
);
