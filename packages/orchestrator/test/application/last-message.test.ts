import { expect, test } from "vitest";
import { lastMessage } from "../../src/application/last-message.ts";
import type { AgentEvent } from "../../src/ports/agent-backend.ts";

const TOOL: AgentEvent = { type: "tool", name: "shell", detail: "ls" };
const say = (text: string): AgentEvent => ({ type: "message", text });

function after(...events: readonly AgentEvent[]): string {
  const said = lastMessage();
  events.forEach(said.add);
  return said.text();
}

test("is what was said since the last tool, lines of one message together", () => {
  const used: AgentEvent = {
    type: "usage",
    inputTokens: 1,
    cachedInputTokens: 0,
    outputTokens: 1,
    costUsd: null,
  };
  expect(after(say("I begin"), TOOL, say("## Question 1: a"), used, say("| A | b | |"))).toBe(
    "## Question 1: a\n| A | b | |",
  );
});

test("stays when the agent does something more and says nothing", () => {
  expect(after(say("old"), TOOL, say("last"), TOOL)).toBe("last");
  expect(after(TOOL)).toBe("");
});

test("keeps the end of a long one, whole characters only", () => {
  const lines = Array.from({ length: 50_000 }, (_, ix) => say(`😀 ${ix}`));
  const text = after(...lines);
  expect(text.length).toBe(64_000);
  expect(text.isWellFormed()).toBe(true);
  expect(text.endsWith("\n😀 49999")).toBe(true);
});
