import { reportError } from "./output/report-error.ts";
import { program } from "./program.ts";

// Started by an older Node's wrapper: when that is killed, nobody is left to carry this run for.
if (process.channel !== undefined) {
  process.channel.unref();
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}

// A reader that has gone (`speckit list | head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    throw error;
  }
  process.exit(0);
});

try {
  await program().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error, {
    json: process.argv.includes("--json"),
    verbose: process.argv.includes("--verbose"),
  });
}
