#!/usr/bin/env node
import { runJob } from "./run-job.mjs";
import { selfCheck } from "./self-check.mjs";

const usage = `speckit-job: the entry program of a job container
  speckit-job [JOB.JSON]  runs the job, default /speckit/job.json
  speckit-job --check     prints what this image brings as JSON; exit code 0 when the contract is met
`;

const [first = "/speckit/job.json", ...others] = process.argv.slice(2);
if (others.length > 0 || (first.startsWith("-") && first !== "--check")) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else if (first === "--check") {
  const report = await selfCheck();
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.ok ? 0 : 1;
} else {
  // Connections through the bridge and a watch may be open: what is left ends with the container.
  process.exit(await runJob(first));
}
