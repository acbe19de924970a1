import { fileURLToPath } from "node:url";
import { commandBackend } from "../../src/adapters/agents/index.ts";
import { modelFailure } from "../../src/domain/model-failure.ts";
import type { AgentBackend } from "../../src/ports/agent-backend.ts";

const SCRIPTED = fileURLToPath(new URL("../../agents/scripted.mjs", import.meta.url));

/** Asks its model once, and works only when it is answered. */
const PROGRAM = `
  const answer = await fetch(process.env.MODEL_URL + "/responses", {
    method: "POST",
    headers: { authorization: "Bearer " + process.env.MODEL_TOKEN },
    body: JSON.stringify({ model: "gpt-5.5" }),
  });
  await answer.text();
  if (!answer.ok) process.exit(7);
  await import(${JSON.stringify(SCRIPTED)});
`;

/** The scripted agent, with one model call in each phase. Waits for no \`retry-after\` itself. */
export function callingAgent(): AgentBackend {
  const plain = commandBackend({
    name: "calling",
    description: "scripted, with a model call in each phase",
    argv: [process.execPath, "--input-type=module", "-e", PROGRAM],
  });
  return {
    ...plain,
    credential: "codex",
    command(prompt, context) {
      const command = plain.command(prompt, context);
      const { baseUrl = "", token = "" } = context.access ?? {};
      return { ...command, env: { ...command.env, MODEL_URL: baseUrl, MODEL_TOKEN: token } };
    },
    reader(workspace) {
      const reader = plain.reader(workspace);
      return {
        ...reader,
        classify(exit) {
          const last = exit.calls.at(-1);
          return (
            (last === undefined ? undefined : modelFailure(last, new Date())) ??
            reader.classify(exit)
          );
        },
      };
    },
  };
}
