import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandBackend } from "../../../../src/adapters/agents/index.ts";
import { processRuntime } from "../../../../src/adapters/process/index.ts";
import { describeAgentBackend } from "../../../../src/testing/index.ts";

const PROGRAM = fileURLToPath(new URL("../../../../agents/scripted.mjs", import.meta.url));
const backend = (argv: readonly string[]) =>
  commandBackend({ name: "mine", description: "a command of one's own", argv });

describeAgentBackend(
  "command",
  async () => ({
    backend: backend([process.execPath, PROGRAM]),
    failing: backend(["sh", "-c", 'echo "agent\'s words"; exit 3']),
    runtime: processRuntime({ termGraceMs: 200 }),
    [Symbol.asyncDispose]: async () => {},
  }),
  join(tmpdir(), "speckit-backends"),
);
