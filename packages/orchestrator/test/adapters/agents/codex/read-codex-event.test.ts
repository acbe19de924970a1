import { describe, expect, test } from "vitest";
import {
  readCodexLine,
  readCutCodexLine,
} from "../../../../src/adapters/agents/codex/read-codex-event.ts";

const read = (value: unknown) => readCodexLine(JSON.stringify(value), "/agent/ws");
const item = (fields: Record<string, unknown>) =>
  read({ type: "item.completed", item: { id: "item_1", ...fields } });
const events = (...list: readonly unknown[]) => ({ kind: "events", events: list });

describe("a line of codex exec --json", () => {
  test("what the agent says, thinks, does and changes becomes one typed event each", () => {
    expect(item({ type: "agent_message", text: "Done." })).toEqual(
      events({ type: "message", text: "Done." }),
    );
    expect(item({ type: "reasoning", text: "**Planning**" })).toEqual(
      events({ type: "reasoning", text: "**Planning**" }),
    );
    const command = {
      type: "command_execution",
      command: "/bin/bash -c 'ls'",
      aggregated_output: "a",
    };
    expect(item({ ...command, exit_code: 1, status: "failed" })).toEqual(
      events({ type: "tool", name: "shell", detail: command.command, exitCode: 1 }),
    );
    expect(item({ ...command, exit_code: null, status: "in_progress" })).toEqual(
      events({ type: "tool", name: "shell", detail: command.command }),
    );
    const changes = [
      { path: "/agent/ws/specs/001-a/plan.md", kind: "add" },
      { path: "/elsewhere/x", kind: "update" },
    ];
    expect(item({ type: "file_change", changes, status: "completed" })).toEqual(
      events(
        { type: "file", path: "specs/001-a/plan.md", change: "add" },
        { type: "file", path: "/elsewhere/x", change: "update" },
      ),
    );
  });

  test("a notice of the program is a warning, not a failure", () => {
    expect(item({ type: "error", message: "deprecated" })).toEqual(
      events({ type: "warning", text: "deprecated" }),
    );
    expect(read({ type: "error", message: "Reconnecting... 1/5 (cut)" })).toEqual(
      events({ type: "warning", text: "Reconnecting... 1/5 (cut)" }),
    );
  });

  test("thread, end of turn and failed turn are told apart", () => {
    expect(read({ type: "thread.started", thread_id: "t-1" })).toEqual({
      kind: "thread",
      threadId: "t-1",
    });
    expect(
      read({
        type: "turn.completed",
        usage: { input_tokens: 10, cached_input_tokens: 4, output_tokens: 3, more: 1 },
      }),
    ).toEqual({
      kind: "turn_completed",
      events: [
        { type: "usage", inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, costUsd: null },
      ],
    });
    expect(read({ type: "turn.failed", error: { message: "no" } })).toEqual({
      kind: "turn_failed",
      message: "no",
    });
  });

  test("what is not known, or no JSON, says nothing", () => {
    for (const line of ["", "Reading additional input", "{", "[]", "null", '{"type":"later"}']) {
      expect(readCodexLine(line, "/w")).toEqual(events());
    }
    expect(item({ type: "todo_list", items: [] })).toEqual(events());
    expect(item({ type: "agent_message", text: 5 })).toEqual(events());
  });

  test("a command whose output is too long to be kept is still told with its exit code", () => {
    const line = JSON.stringify({
      type: "item.completed",
      item: {
        id: "item_9",
        type: "command_execution",
        command: 'cat "big \\ file"',
        aggregated_output: "x".repeat(5_000),
        exit_code: 0,
        status: "completed",
      },
    });
    expect(readCutCodexLine(line.slice(0, 2_000), line.slice(-200))).toEqual(
      events({ type: "tool", name: "shell", detail: 'cat "big \\ file"', exitCode: 0 }),
    );
    expect(readCutCodexLine('{"type":"item.completed","item":{"id":"i","type":"a', "x")).toEqual(
      events(),
    );
  });
});
