/**
 * A complete backend, for an imaginary command line agent `line-agent`: it reads its prompt on stdin,
 * edits the folder it is started in, and prints one JSON document a line.
 */
import { type AgentBackend, type AgentEvent, type Failure, failure } from "@speckit/orchestrator";

export function lineAgentBackend(program: readonly [string, ...string[]]): AgentBackend {
  return {
    name: "line-agent",
    description: "the imaginary agent of the guide",
    versionArgv: [...program, "--version"],
    command: (prompt, { runId, attempt, phase }) => ({
      argv: program,
      env: {
        ...prompt.environment,
        SPECKIT_PHASE: phase,
        SPECKIT_RUN_ID: runId,
        SPECKIT_ATTEMPT: String(attempt),
      },
      stdin: [
        prompt.instructions.text.replaceAll("$ARGUMENTS", () => prompt.arguments),
        `### The request, word for word\n\n${prompt.arguments.replace(/^/gm, "> ")}`,
        `Work in ${prompt.featureDirectory}. Do not commit. Nobody can answer questions now.`,
        ...prompt.answers.map(
          ({ question, answer }) => `${question} ${answer ?? "Decide yourself."}`,
        ),
        ...prompt.comments.map((comment) => `People want it otherwise: ${comment}`),
        ...prompt.findings.map(
          ({ check, path, expected, found }) =>
            `Repair ${path} (${check}): expected ${expected}, found ${found}.`,
        ),
      ].join("\n\n"),
      files: [],
    }),
    reader: () => ({
      read: (line) => readEvent(line),
      classify: ({ exitCode, signal }): Failure | undefined => {
        if (signal !== null) return failure("AGENT_KILLED", `line-agent was ended by ${signal}`);
        if (exitCode === 0) return undefined;
        return failure("AGENT_FAILED", `line-agent exited with code ${exitCode}`);
      },
    }),
  };
}

function readEvent(line: string): readonly AgentEvent[] {
  try {
    const { type, text } = JSON.parse(line);
    return type === "message" && typeof text === "string" ? [{ type, text }] : [];
  } catch {
    return line.trim() === "" ? [] : [{ type: "message", text: line }];
  }
}
