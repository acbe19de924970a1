import { isJsonObject, type JsonObject, objectsIn } from "./json.ts";

/** What a model reads in a request. */
export interface Conversation {
  /** Texts of the user's messages of the latest turn, in order: the prompt, and what was put beside it. */
  readonly prompt: readonly string[];
  /** What the tools called in this turn have given back, in order. */
  readonly outputs: readonly string[];
  /** How often any tool was called so far, in earlier turns too. */
  readonly callsSoFar: number;
}

/** Reads the conversation out of a request's `input`: everything said so far is sent again each time. */
export function readConversation(body: JsonObject): Conversation {
  const input = objectsIn(body.input);
  const last = input.findLastIndex(isUserMessage);
  const before = input.slice(0, last + 1).findLastIndex((item) => !isUserMessage(item));
  return {
    prompt: input.slice(before + 1, last + 1).map((item) => textOf(item.content)),
    outputs: input
      .slice(last + 1)
      .filter(isToolOutput)
      .map((item) => textOf(item.output)),
    callsSoFar: input.filter(isToolOutput).length,
  };
}

function isUserMessage(item: JsonObject): boolean {
  return item.role === "user" && (item.type === "message" || item.type === undefined);
}

function isToolOutput(item: JsonObject): boolean {
  return item.type === "function_call_output" || item.type === "custom_tool_call_output";
}

/** Text comes as a string, as a list of parts, or as an object around one of them. */
function textOf(value: unknown): string {
  if (typeof value === "string") {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(textOf).join("\n");
  }
  return isJsonObject(value) ? textOf(value.text ?? value.content ?? value.output) : "";
}
