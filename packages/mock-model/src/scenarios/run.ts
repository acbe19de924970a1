import { readConversation } from "../protocol/conversation.ts";
import { toolsOf } from "../protocol/tools.ts";
import { message, turn } from "../protocol/turn.ts";
import type { Scenario } from "../scenario.ts";

const COMMAND = /RUN\{\{([\s\S]*?)\}\}/g;

/** Runs what the prompt says: a prompt with `RUN{{ls}} RUN{{pwd}}` makes two calls of the shell, one after the other. */
export const run: Scenario = ({ body }) => {
  const { prompt, outputs, callsSoFar } = readConversation(body);
  const commands = [...prompt.join("\n").matchAll(COMMAND)].map(([, command = ""]) => command);
  const next = commands[outputs.length];
  return next === undefined
    ? turn(message(`Ran ${outputs.length} commands.`))
    : turn(toolsOf(body, callsSoFar + 1).run(next));
};
