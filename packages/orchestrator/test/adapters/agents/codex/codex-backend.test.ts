import { describe, expect, test } from "vitest";
import { CODEX_OPTION_NAMES, codexBackend } from "../../../../src/adapters/agents/index.ts";
import type { AgentExit } from "../../../../src/ports/agent-backend.ts";
import type { ModelCall } from "../../../../src/ports/model-gateway.ts";

const allowance = { models: ["m-2"], defaultModel: "m-1", options: CODEX_OPTION_NAMES };
const backend = codexBackend({ allowance });
const prompt = {
  phase: "specify",
  instructions: {
    kind: "skill",
    name: "speckit-specify",
    path: ".agents/skills/speckit-specify/SKILL.md",
    text: "Write it: $ARGUMENTS",
  },
  arguments: "Add OAuth login",
  projectDirectory: "",
  featureDirectory: "specs/007-oauth",
  environment: { SPECIFY_FEATURE_DIRECTORY: "specs/007-oauth" },
  skillNames: ["speckit-plan"],
  hooks: "none",
  findings: [],
  answers: [],
  comments: [],
  mayAsk: false,
} as const;
const context = {
  runId: "run-1",
  phase: "specify",
  attempt: 2,
  workspace: "/w/ws",
  home: "/w/home",
  choice: {},
  access: { baseUrl: "http://127.0.0.1:4711/openai/v1", token: "throw-away" },
} as const;

describe("the call", () => {
  test("the skill is called by name, on stdin, with our rules below it", () => {
    const { stdin } = backend.command(prompt, context);
    expect(stdin).toMatch(/^\$speckit-specify Add OAuth login\n\n## This run, from speckit\n/);
  });

  test("no other text calls a skill: names are escaped in what others wrote", () => {
    const asked = { ...prompt, arguments: "Add $speckit-plan to the page, with an $imagegen" };
    expect(backend.command(asked, context).stdin).not.toMatch(/\$(speckit-plan|imagegen)/);
  });

  test("a repository with prompt files alone gets their text sent", () => {
    const instructions = { ...prompt.instructions, kind: "prompt" } as const;
    const { stdin } = backend.command({ ...prompt, instructions }, context);
    expect(stdin).toMatch(/^Write it: Add OAuth login\n\n## This run, from speckit\n/);
  });

  test("the token is in one variable, which tool commands do not get, and in no file or argument", () => {
    const { argv, env, files, stdin } = backend.command(prompt, context);
    expect(Object.entries(env).filter(([, value]) => value.includes("throw-away"))).toEqual([
      ["SPECKIT_MODEL_TOKEN", "throw-away"],
    ]);
    expect(JSON.stringify([argv, files, stdin])).not.toContain("throw-away");
    const [config] = files;
    expect(config?.path).toBe(".codex/config.toml");
    expect(config?.content).toContain('inherit = "core"');
    expect(config?.content).toContain('SPECIFY_FEATURE_DIRECTORY = "specs/007-oauth"');
  });

  test("the sandbox is Codex's own unless the operator has given it up", () => {
    expect(backend.command(prompt, context).argv.join(" ")).toContain("--sandbox workspace-write");
    const unsafe = codexBackend({ allowance, unsafe: true });
    expect(unsafe.sandbox).toBe("none");
    expect(unsafe.command(prompt, context).argv).toContain(
      "--dangerously-bypass-approvals-and-sandbox",
    );
  });

  test("model and options come from the request, else from the deployment", () => {
    const config = (choice: object) =>
      backend.command(prompt, { ...context, choice }).files[0]?.content;
    expect(config({})).toContain('model = "m-1"');
    expect(config({ model: "m-2", options: { reasoningEffort: "high" } })).toMatch(
      /^model = "m-2"\nmodel_reasoning_effort = "high"\n/,
    );
  });
});

describe("the allow-list", () => {
  test("what is not allowed is refused by name, with what is", () => {
    const refuse = (choice: object) => backend.refuse?.(choice);
    expect(refuse({})).toBeUndefined();
    expect(refuse({ model: "m-1" })).toBeUndefined();
    expect(refuse({ model: "m-3" })).toMatchObject({
      code: "MODEL_NOT_ALLOWED",
      message: 'agent.model: expected one of m-1, m-2, got "m-3"',
    });
    expect(refuse({ options: { shell: "zsh" } })?.message).toBe(
      'agent.options: expected only reasoningEffort, reasoningSummary, verbosity, got "shell"',
    );
    expect(refuse({ options: { reasoningEffort: "huge" } })?.message).toBe(
      'agent.options.reasoningEffort: expected minimal, low, medium, high, xhigh, got "huge"',
    );
    expect(refuse({ options: { constructor: "x" } })?.code).toBe("AGENT_OPTION_REFUSED");
  });

  test("a model's name cannot smuggle configuration", () => {
    const open = codexBackend({ allowance: { ...allowance, models: undefined } });
    expect(open.refuse?.({ model: 'x"\nsandbox_mode="none' })?.code).toBe("MODEL_NOT_ALLOWED");
    expect(open.refuse?.({ model: "anything-1" })).toBeUndefined();
  });
});

describe("classify", () => {
  const call = (more: Partial<ModelCall>): ModelCall => ({
    startedAt: new Date(),
    model: "m-1",
    status: 200,
    outcome: "completed",
    errorCode: null,
    resetsInMs: null,
    usage: null,
    costUsd: null,
    headersMs: 1,
    durationMs: 1,
    ...more,
  });
  const begun = ['{"type":"thread.started","thread_id":"t"}', '{"type":"turn.started"}'];
  const failed = (message: string) => JSON.stringify({ type: "turn.failed", error: { message } });
  const done = '{"type":"turn.completed","usage":{}}';

  function classify(lines: readonly string[], exit: Partial<AgentExit>) {
    const reader = backend.reader("/w/ws");
    for (const line of lines) {
      reader.read(line);
    }
    return reader.classify({ exitCode: 1, signal: null, stderrTail: "", calls: [], ...exit });
  }

  test("a completed turn is done, whatever its calls came to before", () => {
    const calls = [call({ status: 500, outcome: "failed" }), call({})];
    expect(classify([...begun, done], { exitCode: 0, calls })).toBeUndefined();
  });

  test("exit code 0 without the end of a turn is a failure", () => {
    expect(classify(begun, { exitCode: 0 })?.code).toBe("AGENT_FAILED");
  });

  test("the last call explains a failed turn, with the time to come back", () => {
    const calls = [
      call({
        status: 429,
        outcome: "failed",
        errorCode: "rate_limit_exceeded",
        resetsInMs: 20_000,
      }),
    ];
    const found = classify([...begun, failed("exceeded retry limit")], { calls });
    expect(found).toMatchObject({ code: "RATE_LIMITED", class: "rate_limited" });
    const inMs = Date.parse(found?.resetsAt ?? "") - Date.now();
    expect(inMs).toBeGreaterThan(15_000);
    expect(inMs).toBeLessThanOrEqual(20_000);
  });

  test.each([
    ["exceeded retry limit, last status: 429 Too Many Requests", "RATE_LIMITED"],
    ["Quota exceeded. Check your plan and billing details.", "QUOTA_EXHAUSTED"],
    ["unexpected status 401 Unauthorized: no, url: x", "MODEL_CREDENTIALS_REFUSED"],
    ["The model `nope` does not exist or you do not have access to it.", "MODEL_NOT_FOUND"],
    ["Codex ran out of room in the model's context window. …", "CONTEXT_TOO_LONG"],
    ["stream disconnected before completion: x", "MODEL_UNAVAILABLE"],
    ["Connection failed: error sending request", "MODEL_UNAVAILABLE"],
    ["something new", "AGENT_FAILED"],
  ])("without a call its own words do: %s", (message, code) => {
    const found = classify([...begun, failed(message)], {});
    expect(found?.code).toBe(code);
    expect(found?.message).not.toContain(message);
  });

  test("a refusal before the first turn is a matter of configuration", () => {
    expect(classify([], { exitCode: 2 })).toMatchObject({
      code: "AGENT_SETUP_REFUSED",
      class: "permanent",
    });
  });

  test("a conversation that is lost is no matter of configuration: the next attempt begins anew", () => {
    const stderrTail = "Error: thread/resume: no rollout found for thread id 01a2";
    expect(classify([], { stderrTail })).toMatchObject({
      code: "AGENT_FAILED",
      class: "transient",
    });
  });

  test("a signal is told as one", () => {
    expect(classify(begun, { exitCode: null, signal: "SIGKILL" })?.code).toBe("AGENT_KILLED");
  });
});
