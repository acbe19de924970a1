import { failureOf, SpeckitError } from "@speckit/orchestrator";
import { readEnvironment } from "@speckit/orchestrator/node";
import { runDaemon } from "./run-daemon.ts";

/** The worker of a fleet. `npx speckit worker` is the same, and can run on the embedded database too. */
try {
  const config = readEnvironment(process.env);
  if (config.amqpUrl === undefined) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      "AMQP_URL and DATABASE_URL: expected both, got nothing",
    );
  }
  process.exitCode = await runDaemon(config);
} catch (error) {
  const failure = failureOf(error);
  process.stderr.write(`speckit: ${failure.code}: ${failure.message}\n  ${failure.remedy}\n`);
  process.exitCode = 78;
}
