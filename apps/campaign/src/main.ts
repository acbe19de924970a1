import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CampaignReport, campaign } from "./campaign.ts";
import type { Mode } from "./modes.ts";
import { printReports } from "./print-report.ts";
import { type CampaignOptions, readOptions, USAGE, UsageError } from "./read-options.ts";

/** `npm run campaign`: exit 0 when everything holds, 1 when it does not, 2 for a wrong call. */
async function main(stopped: Promise<never>): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    say(USAGE);
    return 0;
  }
  const { seed, runs, modes } = options;
  say(`campaign: seed ${seed}, ${runs} runs in each of ${modes.join(", ")}\n`);
  const reports: CampaignReport[] = [];
  try {
    for (const mode of modes) {
      reports.push(await carryOut(mode, options, stopped));
    }
  } finally {
    // Also when it is stopped: what was done was done.
    say(printReports(reports));
  }
  return reports.every((report) => report.violations.length === 0) ? 0 : 1;
}

/** The folder with the logs is kept when something does not hold. */
async function carryOut(
  mode: Mode,
  options: CampaignOptions,
  stopped: Promise<never>,
): Promise<CampaignReport> {
  const folder = await mkdtemp(join(tmpdir(), "speckit-campaign-"));
  let holds = false;
  try {
    await using undo = new AsyncDisposableStack();
    const report = await Promise.race([stopped, campaign(mode, options, folder, undo)]);
    holds = report.violations.length === 0;
    say(`${mode}: ${holds ? "everything holds" : `${report.violations.length} violations`}\n`);
    return report;
  } finally {
    if (holds) {
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    } else {
      say(`logs and repositories: ${folder}\n`);
    }
  }
}

function say(text: string): void {
  process.stdout.write(text);
}

class Stopped extends Error {}

/** One may come twice: to the process and to its group. */
const SIGNALS_TO_FORCE = 2;

const stopped = Promise.withResolvers<never>();
stopped.promise.catch(() => {});
let signals = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Not `once`: without a listener left, execa takes the process down before anything is undone.
  process.on(signal, () => {
    signals += 1;
    if (signals > SIGNALS_TO_FORCE) {
      process.exit(130);
    }
    stopped.reject(new Stopped(`stopped by ${signal}`));
  });
}
try {
  process.exitCode = await main(stopped.promise);
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`campaign: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof Stopped) {
    process.stderr.write(`campaign: ${error.message}\n`);
    // Whatever of it still waits for something that is gone by now.
    process.exit(130);
  } else {
    throw error;
  }
}
