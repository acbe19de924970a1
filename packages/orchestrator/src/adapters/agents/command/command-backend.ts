import { type Failure, failure } from "../../../domain/failure.ts";
import { SpeckitError } from "../../../domain/speckit-error.ts";
import type { AgentBackend, AgentReader } from "../../../ports/agent-backend.ts";
import { renderPrompt } from "../render-prompt.ts";
import { checkPlaceholders, fillPlaceholders } from "./fill-placeholders.ts";
import { readLine } from "./read-line.ts";

export interface CommandBackendOptions {
  /** What requests call it: lower-case letters, digits and `-`. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /**
   * The command, argument by argument. `{workspace}`, `{home}`, `{phase}` and `{featureDirectory}`
   * are filled in inside an argument; no shell is involved.
   */
  readonly argv: readonly string[];
  /** Added to the agent's environment; what speckit sets itself wins. */
  readonly env?: Readonly<Record<string, string>>;
  /** Secrets in its environment, by variable; they win over all but those above and speckit's own. */
  readonly secrets?: Readonly<Record<string, string>>;
}

const NAME = /^[a-z][a-z0-9-]{0,39}$/;

/**
 * Any command line agent, by configuration. It gets the prompt on stdin, works in the target
 * repository's tree, and exits with 0 when it is done. What it prints is told as messages; a line
 * that is a JSON object in the shape of an `AgentEvent` is that event, so an agent can report its
 * tokens: `{"type":"usage","inputTokens":1200,"outputTokens":300}`.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` for a bad name, an empty command or an unknown placeholder
 */
export function commandBackend(options: CommandBackendOptions): AgentBackend {
  const { name, description, argv } = options;
  if (!NAME.test(name)) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `A backend's name has lower-case letters, digits and "-", at most 40, not ${JSON.stringify(name.slice(0, 60))}`,
    );
  }
  const [program, ...rest] = argv;
  if (program === undefined || program.trim() === "") {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `Backend ${name}: expected a command as a list of arguments, got an empty one`,
    );
  }
  checkPlaceholders(name, argv);

  return {
    name,
    description,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
    command: (prompt, context) => {
      const { workspace, home, phase } = context;
      const values = { workspace, home, phase, featureDirectory: prompt.featureDirectory };
      const fill = (argument: string) => fillPlaceholders(argument, values);
      return {
        argv: [fill(program), ...rest.map(fill)],
        env: {
          ...options.env,
          ...prompt.environment,
          SPECKIT_PHASE: phase,
          SPECKIT_RUN_ID: context.runId,
          SPECKIT_ATTEMPT: String(context.attempt),
        },
        stdin: renderPrompt(prompt),
        files: [],
      };
    },
    reader: () => ({ read: readLine, classify: (exit) => classify(name, exit) }),
  };
}

/** A command says whether it is done by its exit code alone; its words are never part of a message. */
function classify(name: string, exit: Parameters<AgentReader["classify"]>[0]): Failure | undefined {
  if (exit.signal !== null) {
    return failure("AGENT_KILLED", `The agent ${name} was ended by ${exit.signal}`);
  }
  return exit.exitCode === 0
    ? undefined
    : failure("AGENT_FAILED", `The agent ${name} exited with code ${exit.exitCode ?? "unknown"}`);
}
