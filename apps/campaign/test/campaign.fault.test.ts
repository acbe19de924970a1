import { readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { eventually, processesIn, runProgram, startProgram, testEngine } from "@speckit/testkit";
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
  const done = await runProgram(MAIN, args, { timeoutMs: 600_000 });
  expect(done.stdout + done.stderr).toMatch(/everything {2}20 /);
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
}, 640_000);

test("a campaign of 12 runs in containers, with workers and containers killed: nothing is left on the engine but the gateway, and what others have there is as it was", async () => {
  const engine = testEngine();
  const args = ["--runtime", "docker", "--runs", "12", "--workers", "3", "--mode", "workers"];
  const done = await runProgram(MAIN, [...args, "--kill-every", "10s"], {
    timeoutMs: 840_000,
    env: {
      DOCKER_HOST: engine.dockerHost,
      SPECKIT_TEST_IMAGE_JOB: engine.image("job"),
      SPECKIT_TEST_IMAGE_WORKER: engine.image("worker"),
    },
  });
  // Of both kinds at least one was killed.
  expect(done.stdout + done.stderr).toMatch(
    /^workers +12 +11 succeeded, 1 failed +[1-9]\d* +[1-9]/m,
  );
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
}, 860_000);

test("a campaign that is called wrongly says how to call it, with exit code 2", async () => {
  const wrong = await runProgram(MAIN, ["--kill-every", "often"]);
  expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
  expect(wrong.stderr).toContain("--kill-every: expected a time of at least 100ms");
  expect((await runProgram(MAIN, ["--mode", "network"])).exitCode).toBe(2);
  expect((await runProgram(MAIN, ["--runtime", "podman"])).exitCode).toBe(2);
  expect((await runProgram(MAIN, ["--help"])).exitCode).toBe(0);
});

test("a campaign that is stopped ends what it has started, says where the logs are, and exits with 130", async () => {
  const program = startProgram(MAIN, ["--runs", "1000"], { timeoutMs: 150_000 });
  const children = async () => {
    const task = `/proc/${program.pid}/task/${program.pid}/children`;
    return (await readFile(task, "utf8")).split(" ").filter(Boolean).map(Number);
  };
  const isWorker = async (pid: number) =>
    (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes("/worker/");
  const workers = async () => {
    const pids = await children();
    const are = await Promise.all(pids.map(isWorker));
    return pids.filter((_, ix) => are[ix]);
  };
  await eventually("its workers are there", workers, (pids) => pids.length === 4, {
    withinMs: 100_000,
    everyMs: 100,
  });
  const started = await children();
  program.kill("SIGTERM");
  const done = await program.result;
  expect(done.exitCode).toBe(130);
  expect(done.stderr).toBe("campaign: stopped by SIGTERM\n");
  const [, folder = ""] = /^logs and repositories: (.+)$/m.exec(done.stdout) ?? [];
  expect(await processesIn(folder)).toEqual([]);
  await eventually(
    "none of them is left",
    () =>
      Promise.all(started.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""))),
    (lines) => lines.every((line) => line === ""),
  );
  await rm(folder, { recursive: true });
}, 180_000);
