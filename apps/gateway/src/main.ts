import { exitCodeOfFailure, failureOf } from "@speckit/orchestrator";
import { readGatewayConfig } from "@speckit/orchestrator/node";
import { readStdin } from "./read-stdin.ts";
import { runGateway } from "./run-gateway.ts";

const FROM_STDIN = "--config-stdin";

/**
 * `speckit-gateway [--config-stdin]`: the configuration as one JSON document on stdin, so that nothing
 * secret is in an environment, or from the environment.
 */
try {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => arg !== FROM_STDIN);
  if (unknown !== undefined) {
    process.stderr.write(`speckit-gateway: expected ${FROM_STDIN} or nothing, got ${unknown}\n`);
    process.exit(2);
  }
  const config = readGatewayConfig(
    args.length > 0 ? { document: await readStdin() } : { environment: process.env },
  );
  process.exitCode = await runGateway(config);
} catch (error) {
  const failure = failureOf(error);
  process.stderr.write(`speckit: ${failure.code}: ${failure.message}\n  ${failure.remedy}\n`);
  process.exitCode = exitCodeOfFailure(failure);
}
