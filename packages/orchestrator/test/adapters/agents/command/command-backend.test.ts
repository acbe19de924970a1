import { describe, expect, test } from "vitest";
import { commandBackend } from "../../../../src/adapters/agents/index.ts";
import type { AgentContext, AgentPrompt } from "../../../../src/ports/agent-backend.ts";

const prompt: AgentPrompt = {
  phase: "specify",
  instructions: {
    kind: "skill",
    name: "speckit-specify",
    path: ".agents/skills/speckit-specify/SKILL.md",
    text: "Do it.",
  },
  arguments: "Add OAuth login",
  projectDirectory: "",
  featureDirectory: "specs/007-oauth",
  environment: { SPECIFY_FEATURE_DIRECTORY: "specs/007-oauth", SPECIFY_FEATURE: "007-oauth" },
  hooks: "none",
  skillNames: [],
  findings: [],
  answers: [],
  comments: [],
  mayAsk: false,
};
const context: AgentContext = {
  runId: "run-1",
  phase: "specify",
  attempt: 2,
  workspace: "/w s/$(id)",
  home: "/home/a",
  choice: {},
};
const backend = (argv: readonly string[], env?: Record<string, string>) =>
  commandBackend({
    name: "mine",
    description: "my agent",
    argv,
    ...(env === undefined ? {} : { env }),
  });

describe("command", () => {
  test("fills placeholders inside single arguments", () => {
    const argv = [
      "agent",
      "--dir={workspace}",
      "{phase}:{featureDirectory}:{home}",
      '{"a":1}',
      "{}",
    ];
    expect(backend(argv).command(prompt, context).argv).toEqual([
      "agent",
      "--dir=/w s/$(id)",
      "specify:specs/007-oauth:/home/a",
      '{"a":1}',
      "{}",
    ]);
  });

  test("sets the run's variables over its own", () => {
    const { env, files } = backend(["agent"], { A: "1", SPECKIT_PHASE: "other" }).command(
      prompt,
      context,
    );
    expect(env).toEqual({
      SPECIFY_FEATURE: "007-oauth",
      A: "1",
      SPECIFY_FEATURE_DIRECTORY: "specs/007-oauth",
      SPECKIT_PHASE: "specify",
      SPECKIT_RUN_ID: "run-1",
      SPECKIT_ATTEMPT: "2",
    });
    expect(files).toEqual([]);
  });

  test("refuses a bad configuration by name", () => {
    expect(() => backend([])).toThrow("Backend mine: expected a command");
    expect(() => backend(["agent", "--x={workspce}"])).toThrow("got {workspce}");
    expect(() => commandBackend({ name: "A b", description: "", argv: ["x"] })).toThrow(
      'not "A b"',
    );
  });
});

describe("classify", () => {
  const classify = backend(["agent"]).reader("/w").classify;
  const stderrTail = "the agent's own words";

  test("exit code 0 is done", () => {
    expect(classify({ exitCode: 0, signal: null, stderrTail, calls: [] })).toBeUndefined();
  });

  test("another exit code is a failed agent, a signal a killed one, in our own words", () => {
    expect(classify({ exitCode: 3, signal: null, stderrTail, calls: [] })).toMatchObject({
      code: "AGENT_FAILED",
      message: "The agent mine exited with code 3",
    });
    expect(classify({ exitCode: null, signal: "SIGKILL", stderrTail, calls: [] })).toMatchObject({
      code: "AGENT_KILLED",
      message: "The agent mine was ended by SIGKILL",
    });
    expect(classify({ exitCode: null, signal: null, stderrTail, calls: [] })?.code).toBe(
      "AGENT_FAILED",
    );
  });
});
