import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lineAgentBackend } from "../../../examples/line-agent-backend.ts";
import { processRuntime } from "../../../src/adapters/process/index.ts";
import { describeAgentBackend } from "../../../src/testing/index.ts";

const PROGRAM = fileURLToPath(new URL("../../../agents/scripted.mjs", import.meta.url));
const EXAMPLE = new URL("../../../examples/line-agent-backend.ts", import.meta.url);

describeAgentBackend(
  "the guide's",
  async () => ({
    backend: lineAgentBackend([process.execPath, PROGRAM]),
    failing: lineAgentBackend(["sh", "-c", 'echo "agent\'s words"; exit 3']),
    runtime: processRuntime({ termGraceMs: 200 }),
    [Symbol.asyncDispose]: async () => {},
  }),
  join(tmpdir(), "speckit-backends"),
);

test("the guide's backend is complete in at most 60 lines", async () => {
  expect((await readFile(EXAMPLE, "utf8")).trimEnd().split("\n").length).toBeLessThanOrEqual(60);
});
