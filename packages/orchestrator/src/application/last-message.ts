import type { AgentEvent } from "../ports/agent-backend.ts";

/** How much of it is kept, in UTF-16 units: its end, where the questions are. */
const MAX_LENGTH = 64_000;

/**
 * What an agent said last: its messages since it last used a tool or changed a file. An agent that
 * prints plain lines says a message with each; together they are what it said.
 */
export function lastMessage(): {
  readonly add: (event: AgentEvent) => void;
  readonly text: () => string;
} {
  let parts: string[] = [];
  let length = 0;
  let isOver = false;
  return {
    add(event) {
      if (event.type === "tool" || event.type === "file") {
        isOver = true;
      }
      if (event.type !== "message") {
        return;
      }
      if (isOver) {
        [parts, length, isOver] = [[], 0, false];
      }
      parts.push(event.text);
      length += event.text.length + 1;
      // Cut now and then: at each message it would copy all there is.
      if (length > 2 * MAX_LENGTH) {
        const end = parts.join("\n").slice(-MAX_LENGTH);
        [parts, length] = [[end], end.length];
      }
    },
    text: () => parts.join("\n").slice(-MAX_LENGTH).toWellFormed(),
  };
}
