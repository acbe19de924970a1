import { readFileSync } from "node:fs";
import { testEngine } from "@speckit/testkit";
import { expect, test } from "vitest";

const engine = testEngine();
const image = engine.image("worker");
const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);
const run = (...command: string[]) =>
  engine.docker([
    ...["run", "--rm", "--read-only", "--network", "none", "--tmpfs", "/tmp", "--cap-drop", "ALL"],
    ...[image, ...command],
  ]);

test("the worker image runs the CLI, as a user without rights", async () => {
  expect((await run("speckit", "--version")).trim()).toContain(version);
  expect((await run("id", "-u")).trim()).toBe("10001");
});

test("its worker starts, and says what it lacks", async () => {
  const printed = await run("sh", "-c", "speckit-worker 2>&1; echo exit code $?");
  expect(printed).toMatch(/AMQP_URL and DATABASE_URL/);
  expect(printed).toMatch(/exit code 78\n$/);
});

test("it holds JavaScript alone: no sources, no tests, no development tools", async () => {
  const found = await run(
    "sh",
    "-c",
    "find /app -name '*.ts' -not -path '*/node_modules/*' | head",
  );
  expect(found).toBe("");
  const modules = await run("ls", "/app/node_modules");
  expect(modules).not.toMatch(/^(typescript|vitest|knip)$/m);
});
