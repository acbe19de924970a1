/**
 * A supervisor to be killed or frozen: starts one job and keeps it alive for as long as it runs
 * itself. Arguments: `auto` or `process_group`, keepAliveMs, workspace, shell script.
 */
import { processRuntime } from "../../../src/adapters/process/index.ts";
import { shellSpec, startJob } from "./run-job.ts";

const [containment, keepAliveMs, workspace, script] = process.argv.slice(2) as [
  "auto" | "process_group",
  string,
  string,
  string,
];
const runtime = processRuntime({ containment });
const spec = shellSpec(workspace, script, { keepAliveMs: Number(keepAliveMs) });
const quiet = { onStdout: async () => {}, onStderr: async () => {}, onLine: () => {} };
const job = await startJob(runtime, spec, quiet);
setInterval(() => job.keepAlive(Number(keepAliveMs)), 200).unref();
const exit = await job.exit;
process.stdout.write(`${JSON.stringify(exit)}\n`);
