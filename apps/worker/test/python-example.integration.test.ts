import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runResultSchema } from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { eventually, git, tempFolder, testBroker, testDatabase } from "@speckit/testkit";
import { expect, test } from "vitest";
import { spawnProgram } from "./spawned-program.ts";
import { startWorkerProcess } from "./worker-process.ts";

const examples = fileURLToPath(new URL("../../../examples/python", import.meta.url));
const database = await testDatabase();
const broker = testBroker();

/** Debian's Python, or the one on PATH: whichever has pika. */
function python(): string {
  const found = ["/usr/bin/python3", "python3"].find((program) => {
    try {
      execFileSync(program, ["-c", "import pika"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) {
    throw new Error("No Python with pika: install Debian's python3-pika");
  }
  return found;
}

const start = (script: string, ...args: readonly string[]) =>
  spawnProgram(python(), [join(examples, script), ...args], {
    AMQP_URL: broker.url,
    SPECKIT_AMQP_PREFIX: broker.prefix,
  });

test("a request from Python becomes a branch, and a listener in Python hears of it", async () => {
  await using folder = await tempFolder("python-example");
  const remote = await makeSampleRemote(folder.path);
  await using worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_AGENT: "scripted" },
  });
  const listening = start("listen.py", "run.*", "phase.succeeded");
  await eventually("it listens", () => listening.said.stderr.includes("listening"));

  const published = await start("publish_request.py", `file://${remote}`, "Add OAuth login").ended;
  expect(published).toMatchObject({ exitCode: 0 });
  const result = runResultSchema.parse(JSON.parse(published.stdout));
  expect(result).toMatchObject({ status: "succeeded", pushed: true });
  expect(published.stderr).toContain(result.runId);
  expect(await git(remote, "rev-parse", result.branch)).toBe(result.headSha);

  const heard = await eventually(
    "it has heard of everything",
    () => listening.said.stdout.split("\n").map((line) => line.split(" ").slice(1, 3)),
    (lines) => lines.filter(([, key]) => key === "phase.succeeded").length === 7,
  );
  listening.kill("SIGINT");
  expect((await listening.ended).exitCode).toBe(0);
  const lines = heard.filter(([runId]) => runId !== undefined);
  expect(new Set(lines.map(([runId]) => runId))).toEqual(new Set([result.runId]));
  const keys = lines.map(([, key]) => key);
  expect(keys.slice(0, 2)).toEqual(["run.accepted", "run.started"]);
  expect(keys).toContain("run.succeeded");

  const refused = await start("publish_request.py", "--upload-pack=x", "Add OAuth login").ended;
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(JSON.parse(refused.stdout)).toMatchObject({
    status: "rejected",
    failure: { code: "REPOSITORY_INVALID" },
  });
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
});

test("a run that asks is answered from Python, then approved, and told of each", async () => {
  await using folder = await tempFolder("python-answers");
  const remote = await makeSampleRemote(folder.path, {
    ".scripted-agent.json": JSON.stringify({
      specify: {
        onlyAttempts: [1],
        askQuestions: [{ text: "Which provider?", answers: ["Google alone", "Any"] }],
      },
    }),
  });
  await using worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_AGENT: "scripted" },
  });
  const listening = start("listen.py", "run.needs_input");
  await eventually("it listens", () => listening.said.stderr.includes("listening"));
  const heard = (kind: string) =>
    eventually(
      `it has heard of ${kind}`,
      () => listening.said.stdout.split("\n").find((line) => line.includes(`"kind": "${kind}"`)),
      Boolean,
      { withinMs: 30_000 },
    );
  const fields = JSON.stringify({ onQuestions: "pause", pauseAfter: ["specify"] });
  const publishing = start("publish_request.py", `file://${remote}`, "Add OAuth login", fields);
  const [, runId = ""] = (await heard("questions"))?.split(" ") ?? [];
  const answers = JSON.stringify({ answers: ["B"] });
  const answered = await start("send_command.py", runId, "answer", answers).ended;
  expect(JSON.parse(answered.stdout)).toMatchObject({ status: "accepted", runId });
  expect(answered.exitCode).toBe(0);
  await heard("approval");
  const late = await start("send_command.py", runId, "answer", answers).ended;
  expect(JSON.parse(late.stdout)).toMatchObject({ status: "accepted" });
  const early = await start("send_command.py", runId, "approve", '{"phase": "plan"}').ended;
  expect(early.exitCode).toBe(1);
  expect(JSON.parse(early.stdout)).toMatchObject({ failure: { code: "DECISION_REFUSED" } });
  expect((await start("send_command.py", runId, "approve").ended).exitCode).toBe(0);

  const { exitCode, stdout } = await publishing.ended;
  expect(exitCode).toBe(0);
  const result = runResultSchema.parse(JSON.parse(stdout));
  const spec = `${result.branch}:${result.featureDirectory}/spec.md`;
  expect(await git(remote, "show", spec)).toContain("- Which provider?\n  > Any");
  listening.kill("SIGINT");
  await listening.ended;
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
});

test("a request that no fleet would take is an error in Python too", async () => {
  const { ended } = spawnProgram(
    python(),
    [join(examples, "publish_request.py"), "acme/shop", "Add OAuth login"],
    { AMQP_URL: broker.url, SPECKIT_AMQP_PREFIX: "nobody-has-this" },
  );
  expect(await ended).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("no exchange 'nobody-has-this.requests'"),
  });
});
