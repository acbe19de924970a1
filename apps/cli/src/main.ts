import { expectLostOutput } from "./output/lost-output.ts";
import { reportError } from "./output/report-error.ts";
import { program } from "./program.ts";

// Started by an older Node's wrapper: when that is killed, nobody is left to carry this run for.
if (process.channel !== undefined) {
  process.channel.unref();
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}

expectLostOutput();

try {
  await program().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error, {
    json: process.argv.includes("--json"),
    verbose: process.argv.includes("--verbose"),
  });
}
