import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const LOGGER = fileURLToPath(new URL("../../../src/adapters/winston/index.ts", import.meta.url));

test("a secret that is hidden on the way is in no later line of any logger of the same root", async () => {
  const program = `
    import { winstonLogger } from ${JSON.stringify(LOGGER)};
    const root = winstonLogger({ level: "info", format: "json", secrets: ["known-at-start"] });
    const child = root.with({ runId: "r1" });
    child.hide("ghs_minted-1");
    root.info("from the root", { token: "ghs_minted-1" });
    child.info("known-at-start and ghs_minted-1");
    const cause = Object.assign(new Error("with ghs_minted-1"), { code: "EINNER" });
    root.warn("nested", { deep: [{ error: new Error("for known-at-start", { cause }) }] });
  `;
  const { stderr } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    program,
  ]);
  expect(stderr).not.toMatch(/known-at-start|ghs_minted/);
  const lines = stderr.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { message: "from the root", token: "[redacted]" },
    { message: "[redacted] and [redacted]", runId: "r1" },
    {
      deep: [
        {
          error: {
            message: "for [redacted]",
            cause: { message: "with [redacted]", code: "EINNER" },
          },
        },
      ],
    },
  ]);
});
