import { fileURLToPath } from "node:url";
import { runProgram, tempFolder, testEngine } from "@speckit/testkit";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const engine = testEngine();

test("a fleet of containers carries a request out, drains and leaves nothing", async () => {
  await using folder = await tempFolder("compose-fleet");
  const left = async () => [
    await engine.docker(["ps", "-aq", "--filter", "name=speckit-fleet-"]),
    await engine.docker(["volume", "ls", "-q", "--filter", "name=speckit-fleet-"]),
    await engine.docker(["network", "ls", "-q", "--filter", "name=speckit-fleet-"]),
  ];
  const env = {
    HOME: folder.path,
    DOCKER_HOST: engine.dockerHost,
    RABBITMQ_IMAGE: engine.image("rabbitmq"),
    POSTGRES_IMAGE: engine.image("postgres"),
    SPECKIT_WORKER_IMAGE: engine.image("worker"),
    SPECKIT_JOB_IMAGE: engine.image("job"),
  };
  const options = { cwd: folder.path, env, timeoutMs: 300_000 };
  const done = await runProgram(MAIN, ["--compose"], options);
  expect(done.stderr).toBe("");
  expect(done.stdout).toMatch(/^reply: succeeded, run /m);
  expect(done.stdout).toMatch(/^ {2}\w+ docs: tasks /m);
  expect(done.stdout).toContain("workers drained, exit codes 0 and 0");
  expect(done.exitCode).toBe(0);
  expect(await left()).toEqual(["", "", ""]);
}, 300_000);

test("what it is not told to be, and an engine without its images, is refused by name", async () => {
  await using folder = await tempFolder("compose-fleet");
  const other = await runProgram(MAIN, ["--kubernetes"], { cwd: folder.path });
  expect(other).toMatchObject({
    exitCode: 2,
    stderr: "fleet: expected nothing or --compose, got --kubernetes\n",
  });
  const env = { DOCKER_HOST: engine.dockerHost, SPECKIT_WORKER_IMAGE: "no-such-image:1" };
  const without = await runProgram(MAIN, ["--compose"], { cwd: folder.path, env });
  expect(without.stderr).toContain("no image no-such-image:1. Build it with `npm run images`");
  expect(without.exitCode).not.toBe(0);
});
