import { fileURLToPath } from "node:url";
import { runProgram } from "@speckit/testkit";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

test("a campaign of 20 runs, with workers killed and the broker and the database restarted: every run ends as it should, nothing is doubled, nothing is left", async () => {
  const args = [
    "--runs",
    "20",
    "--kill-every",
    "3s",
    "--restart-every",
    "20s",
    "--mode",
    "everything",
  ];
  const done = await runProgram(MAIN, args, { timeoutMs: 220_000 });
  expect(done.stdout + done.stderr).toMatch(/everything {2}20 /);
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
}, 240_000);

test("a campaign that is called wrongly says how to call it, with exit code 2", async () => {
  const wrong = await runProgram(MAIN, ["--kill-every", "often"]);
  expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
  expect(wrong.stderr).toContain("--kill-every: expected a time of at least 100ms");
  expect((await runProgram(MAIN, ["--mode", "network"])).exitCode).toBe(2);
  expect((await runProgram(MAIN, ["--help"])).exitCode).toBe(0);
});
