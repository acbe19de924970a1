import { fileURLToPath } from "node:url";
import type { AgentBackend } from "../../ports/agent-backend.ts";
import { commandBackend } from "./command/index.ts";

/** The same distance from `src` and from the built `dist`. */
const PROGRAM = new URL("../../../agents/scripted.mjs", import.meta.url);

/** Where the job image has it. */
const IN_IMAGE = "/usr/local/lib/speckit-agents/scripted.mjs";

/**
 * The stand-in agent: a program of this package, run like any other command. It writes what a Spec
 * Kit agent would write and calls no model.
 */
export function scriptedBackend(runtime: "docker" | "process" = "process"): AgentBackend {
  return commandBackend({
    name: "scripted",
    description: "speckit's scripted agent: a stand-in, no model is called",
    argv: runtime === "docker" ? ["node", IN_IMAGE] : [process.execPath, fileURLToPath(PROGRAM)],
  });
}
