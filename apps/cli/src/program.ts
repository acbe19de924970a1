import { readFileSync } from "node:fs";
import { AGENT_PHASES, RUN_STATUSES, RUNTIMES } from "@speckit/orchestrator";
import { DURATION_FORM, parseDuration } from "@speckit/orchestrator/contract";
import { Command, InvalidArgumentError, Option } from "commander";
import { addArtifactCommands } from "./artifact-commands.ts";
import { count, runId, withCommonOptions } from "./command-options.ts";

/** The command line. Each command's code is loaded when it is the one that was asked for. */
export function program(): Command {
  const speckit = new Command("speckit")
    .description(
      "Spec Kit runs you do not have to watch: a sentence and a repository in, a branch out.",
    )
    .version(version(), "-V, --version")
    .exitOverride()
    .showHelpAfterError("(see npx speckit --help)");

  withRequestOptions(speckit.command("run"))
    .description("carry out one run here and wait for its end")
    .option("--cancel-on-interrupt", "Ctrl-C cancels the run instead of handing it over")
    .addOption(runtimeOption())
    .addOption(unsafeOption())
    .action(async (repository, sentence, options) => {
      const { runCommand } = await import("./commands/run.ts");
      process.exitCode = await runCommand(repository, sentence, options);
    });

  withRequestOptions(speckit.command("submit"))
    .description("store a run for a worker to carry, and return")
    .action(async (repository, sentence, options) => {
      const { submitCommand } = await import("./commands/submit.ts");
      process.exitCode = await submitCommand(repository, sentence, options);
    });

  withCommonOptions(speckit.command("resume"))
    .argument("<runId>", "the run", runId)
    .description("carry an interrupted run to its end here")
    .addOption(runtimeOption())
    .addOption(unsafeOption())
    .action(async (id, options) => {
      const { resumeCommand } = await import("./commands/resume.ts");
      process.exitCode = await resumeCommand(id, options);
    });

  withCommonOptions(speckit.command("answer"))
    .argument("<runId>", "the run", runId)
    .argument(
      "<answers...>",
      "one for each question, in order: a text, or an option's letter; - leaves one to the agent",
    )
    .option(
      "--round <number>",
      "the round of questions that is answered (default: the open one)",
      count,
    )
    .description("answer a run's open questions, so that it goes on")
    .action(async (id, answers, options) => {
      const { answerCommand } = await import("./commands/answer.ts");
      process.exitCode = await answerCommand(id, answers, options);
    });

  withDecisionOptions(speckit.command("approve"))
    .description("approve the result that a run waits with, so that it goes on")
    .action(async (id, options) => {
      const { approveCommand } = await import("./commands/approve.ts");
      process.exitCode = await approveCommand(id, options);
    });

  withDecisionOptions(speckit.command("reject"))
    .requiredOption("--comment <text>", "what is to be done otherwise; - reads it from stdin")
    .description("reject the result that a run waits with: its phase starts again")
    .action(async (id, options) => {
      const { rejectCommand } = await import("./commands/reject.ts");
      process.exitCode = await rejectCommand(id, options);
    });

  withCommonOptions(speckit.command("retry"))
    .argument("<runId>", "the run", runId)
    .option("--new-run-id <uuid>", "id of the new run: the same one twice is one run")
    .addOption(runtimeOption())
    .addOption(unsafeOption())
    .description("go on from the last good phase of a run that failed, as a new run")
    .action(async (id, options) => {
      const { retryCommand } = await import("./commands/retry.ts");
      process.exitCode = await retryCommand(id, options);
    });

  withCommonOptions(speckit.command("publish"))
    .argument("<runId>", "the run", runId)
    .option("--new-run-id <uuid>", "id of the new run: the same one twice is one run")
    .description("push what a run has made and open its pull request, where that was not done")
    .action(async (id, options) => {
      const { publishCommand } = await import("./commands/publish.ts");
      process.exitCode = await publishCommand(id, options);
    });

  withCommonOptions(speckit.command("cancel"))
    .argument("<runId>", "the run", runId)
    .description("cancel a run that is not over")
    .action(async (id, options) => {
      const { cancelCommand } = await import("./commands/cancel.ts");
      process.exitCode = await cancelCommand(id, options);
    });

  withCommonOptions(speckit.command("status"))
    .argument("<runId>", "the run", runId)
    .description("show where a run is")
    .action(async (id, options) => {
      const { statusCommand } = await import("./commands/status.ts");
      process.exitCode = await statusCommand(id, options);
    });

  withCommonOptions(speckit.command("explain"))
    .argument("<runId>", "the run", runId)
    .description("show why a run is where it is, and what to do about it")
    .action(async (id, options) => {
      const { explainCommand } = await import("./commands/explain.ts");
      process.exitCode = await explainCommand(id, options);
    });

  withCommonOptions(speckit.command("stats"))
    .description("show runs of a period in numbers")
    .addOption(
      new Option("--since <duration>", "of the time from so long ago, as 12h (default: 7d)")
        .argParser(duration)
        .conflicts("days"),
    )
    .option("--days <number>", "the same in days", days)
    .option("--repository <repository>", "only runs of this repository")
    .option(
      "--slo <duration>",
      "what a run may take, as 20m (the default); if given, exit 1 when less than 95 % did",
      duration,
    )
    .action(async (options) => {
      const { statsCommand } = await import("./commands/stats.ts");
      process.exitCode = await statsCommand(options);
    });

  withCommonOptions(speckit.command("list"))
    .description("list runs, newest first")
    .addOption(
      new Option("--status <status>", "only runs of this status").choices([...RUN_STATUSES]),
    )
    .option("--repository <repository>", "only runs of this repository")
    .option("--limit <number>", "at most so many", count, 20)
    .action(async (options) => {
      const { listCommand } = await import("./commands/list.ts");
      process.exitCode = await listCommand(options);
    });

  withCommonOptions(speckit.command("logs"), "one JSON document per event")
    .argument("<runId>", "the run", runId)
    .option("-f, --follow", "go on until the run is over")
    .option("--after <seq>", "leave out the events up to this sequence number", count)
    .description("show a run's events, with what the agent said")
    .action(async (id, options) => {
      const { logsCommand } = await import("./commands/logs.ts");
      process.exitCode = await logsCommand(id, options);
    });

  withCommonOptions(speckit.command("events"), "one CloudEvent per line")
    .argument("<runId>", "the run", runId)
    .option("-f, --follow", "go on until the run is over")
    .option("--after <seq>", "leave out the events up to this sequence number", count)
    .description("show what happened to a run, without what the agent said")
    .action(async (id, options) => {
      const { eventsCommand } = await import("./commands/events.ts");
      process.exitCode = await eventsCommand(id, options);
    });

  addArtifactCommands(speckit);

  const dead = speckit.command("dead").description("messages that a fleet has refused");
  withCommonOptions(dead.command("list"))
    .description("list them, oldest first")
    .option("--limit <number>", "at most so many", count, 50)
    .action(async (options) => {
      const { deadListCommand } = await import("./commands/dead.ts");
      process.exitCode = await deadListCommand(options);
    });
  withCommonOptions(dead.command("show"))
    .argument("<id>", "the message, as dead list names it")
    .description("show one with its body")
    .action(async (id, options) => {
      const { deadShowCommand } = await import("./commands/dead.ts");
      process.exitCode = await deadShowCommand(id, options);
    });
  withCommonOptions(dead.command("replay"))
    .argument("<id>", "the message, as dead list names it")
    .option("--file <path>", "send this body instead, corrected; - reads it from stdin")
    .description("send one to where it was meant for again")
    .action(async (id, options) => {
      const { deadReplayCommand } = await import("./commands/dead.ts");
      process.exitCode = await deadReplayCommand(id, options);
    });

  withCommonOptions(speckit.command("migrate"))
    .description("bring the database to the newest schema")
    .action(async (options) => {
      const { migrateCommand } = await import("./commands/migrate.ts");
      process.exitCode = await migrateCommand(options);
    });

  withCommonOptions(speckit.command("doctor"))
    .description("look at the whole deployment, and say what to do about what is wrong")
    .option(
      "--repository <repository>",
      "try one: may it be pushed to, and a pull request be opened; can be given again",
      another,
      [],
    )
    .addOption(runtimeOption())
    .addOption(unsafeOption())
    .action(async (options) => {
      const { doctorCommand } = await import("./commands/doctor.ts");
      process.exitCode = await doctorCommand(options);
    });

  speckit
    .command("worker")
    .description("carry runs until stopped: of a fleet, or of the embedded database")
    .option("--verbose", "stack traces")
    .addOption(runtimeOption())
    .addOption(unsafeOption())
    .action(async (options) => {
      const { workerCommand } = await import("./commands/worker.ts");
      process.exitCode = await workerCommand(options);
    });

  speckit
    .command("demo")
    .description("a whole run on a sample repository, with a scripted agent in place of a model")
    .option("--verbose", "stack traces")
    .action(async () => {
      const { demoCommand } = await import("./commands/demo.ts");
      process.exitCode = await demoCommand();
    });

  return speckit;
}

function withDecisionOptions(command: Command): Command {
  return withCommonOptions(command)
    .argument("<runId>", "the run", runId)
    .addOption(
      new Option("--phase <phase>", "whose result is meant (default: the one that waits)").choices([
        ...AGENT_PHASES,
      ]),
    )
    .option("--attempt <number>", "which attempt's (default: the one that waits)", count);
}

function withRequestOptions(command: Command): Command {
  return withCommonOptions(command)
    .argument("<repository>", "owner/name, an https or ssh URL, a path or a file:// URL")
    .argument("[sentence]", "what to build, in plain words; - reads it from stdin")
    .option("--file <path>", "read the sentence from a file")
    .option("--agent <backend>", "agent backend (default: SPECKIT_AGENT)")
    .option("--model <name>", "the agent's model (default: the deployment's, else the agent's own)")
    .option(
      "--option <name=value>",
      "an option of the agent, for example reasoningEffort=high; can be given again",
      option,
      [],
    )
    .option("--base-branch <branch>", "branch to build on (default: the remote's)")
    .option("--branch <branch>", "branch to push (default: made from sentence and run id)")
    .option("--feature-directory <path>", "specs/NNN-name (default: the next number)")
    .option(
      "--project-directory <path>",
      "folder of .specify (default: the root, else the only one there is)",
    )
    .option(
      "--phases <list>",
      `agent phases, separated by commas (default: ${AGENT_PHASES.join(",")})`,
    )
    .addOption(
      new Option("--on-questions <what>", "what open questions do (default: assume)").choices([
        "assume",
        "pause",
      ]),
    )
    .option("--pause-after <list>", "agent phases whose result you approve, separated by commas")
    .option("--draft", "the pull request is a draft (default: the deployment's, which is yes)")
    .option("--no-draft", "the pull request is ready for review")
    .option("--label <name>", "label of the pull request; can be given again", another, [])
    .option(
      "--reviewer <login>",
      "who reviews it: a login or org/team; can be given again",
      another,
      [],
    )
    .option("--assignee <login>", "who it is assigned to; can be given again", another, [])
    .option("--dry-run", "do everything but push and open, and show both")
    .option("--deadline-ms <ms>", "longest working time of the run, in milliseconds", count)
    .option("--max-tokens <number>", "most tokens of all model calls, in and out", count)
    .option("--max-usd <amount>", "highest cost of all model calls", amount)
    .option("--run-id <uuid>", "the run's id")
    .option("--idempotency-key <key>", "the same key with the same request is the same run")
    .option("--external-ref <text>", "your own reference, given back with the result");
}

function runtimeOption(): Option {
  return new Option(
    "--runtime <name>",
    "where agents run: in containers, or as processes without file isolation (as SPECKIT_RUNTIME; auto: containers where they can be)",
  ).choices(RUNTIMES);
}

function unsafeOption(): Option {
  return new Option("--unsafe", "agents run without a sandbox of their own (as SPECKIT_UNSAFE=on)");
}

function days(text: string): number {
  const number = count(text);
  duration(`${text}d`);
  return number;
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new InvalidArgumentError(`expected ${DURATION_FORM}, got ${text}`);
  }
  return ms;
}

function amount(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError(`expected an amount above 0, got ${text}`);
  }
  return number;
}

function option(text: string, before: readonly string[]): readonly string[] {
  if (!/^[^=]+=/.test(text)) {
    throw new InvalidArgumentError(`expected name=value, got ${text}`);
  }
  return [...before, text];
}

function another(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
