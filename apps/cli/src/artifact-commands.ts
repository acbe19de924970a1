import { type Command, InvalidArgumentError } from "commander";
import { runId, withCommonOptions } from "./command-options.ts";

const MAX_REASON = 1_000;

/** `speckit artifacts …`: the files that are kept of runs as evidence. */
export function addArtifactCommands(speckit: Command): void {
  const artifacts = speckit.command("artifacts").description("files kept of runs as evidence");
  withCommonOptions(artifacts.command("list"))
    .argument("<runId>", "the run", runId)
    .description("list those of a run, and how long they are kept")
    .action(async (id, options) => {
      const { artifactsListCommand } = await import("./commands/artifacts/list.ts");
      process.exitCode = await artifactsListCommand(id, options);
    });
  withCommonOptions(artifacts.command("show"))
    .argument("<runId>", "the run", runId)
    .argument("<name>", "the artifact, as artifacts list names it")
    .description("print one as it is; on a terminal, what would steer it is written out")
    .action(async (id, name, options) => {
      const { artifactsShowCommand } = await import("./commands/artifacts/show.ts");
      process.exitCode = await artifactsShowCommand(id, name, options);
    });
  withCommonOptions(artifacts.command("download"))
    .argument("<runId>", "the run", runId)
    .argument("[names...]", "which artifacts (default: all)")
    .option("--to <folder>", "where to (default: a folder named after the run)")
    .option("--force", "overwrite files that are there")
    .description("copy artifacts into a folder")
    .action(async (id, names, options) => {
      const { artifactsDownloadCommand } = await import("./commands/artifacts/download.ts");
      process.exitCode = await artifactsDownloadCommand(id, names, options);
    });
  withCommonOptions(artifacts.command("verify"))
    .argument("[runId]", "the run", runId)
    .option("--all", "every run that is over and whose artifacts are kept")
    .description("compare the files in this machine's state folder with what is on record")
    .action(async (id, options) => {
      const { artifactsVerifyCommand } = await import("./commands/artifacts/verify.ts");
      process.exitCode = await artifactsVerifyCommand(id, options);
    });
  withCommonOptions(artifacts.command("keep"))
    .argument("<runId>", "the run", runId)
    .option("--reason <text>", "why, for whoever wonders", reason)
    .description("keep a run's artifacts and rows until they are released")
    .action(async (id, options) => {
      const { artifactsKeepCommand } = await import("./commands/artifacts/keep.ts");
      process.exitCode = await artifactsKeepCommand(id, options);
    });
  withCommonOptions(artifacts.command("release"))
    .argument("<runId>", "the run", runId)
    .description("keep them no longer than others, but for a day at least")
    .action(async (id, options) => {
      const { artifactsReleaseCommand } = await import("./commands/artifacts/keep.ts");
      process.exitCode = await artifactsReleaseCommand(id, options);
    });
}

function reason(text: string): string {
  if (text.length > MAX_REASON) {
    throw new InvalidArgumentError(`expected at most ${MAX_REASON} characters`);
  }
  return text;
}
