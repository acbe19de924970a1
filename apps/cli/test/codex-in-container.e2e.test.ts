import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Answer,
  findScenario,
  type MockModel,
  readConversation,
  type Scenario,
  startMockModel,
} from "@speckit/mock-model";
import { runResultSchema } from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { eventually, filesWith, git, testEngine } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

const CANARY = `sk-canary-${randomUUID()}`;
const MODEL = "gpt-5.5";
const engine = testEngine();

let folder: StateFolder;
let model: MockModel;
let remote: string;

beforeAll(async () => {
  folder = await stateFolder("cli-container", "state");
  await mkdir(join(folder.path, "state"));
  model = await startMockModel({ apiKey: CANARY });
  remote = await makeSampleRemote(folder.path);
});

afterAll(async () => {
  expect(model.complaints()).toEqual([]);
  await model[Symbol.asyncDispose]();
  await removeAll();
  await folder[Symbol.asyncDispose]();
});

const docker = (...args: string[]): Promise<string> => engine.docker(args);

/** Objects of this test's deployment: its state folder has made it. */
async function ours(kind: "container" | "volume", role?: string): Promise<readonly string[]> {
  const all =
    kind === "container" ? ["ps", "--all", "--quiet", "--no-trunc"] : ["volume", "ls", "--quiet"];
  const filters = [
    ...(deploymentId === undefined ? [] : ["--filter", `label=speckit.deployment=${deploymentId}`]),
    ...(role === undefined ? [] : ["--filter", `label=speckit.role=${role}`]),
  ];
  return (await docker(...all, ...filters)).split("\n").filter(Boolean);
}

let deploymentId: string | undefined;

async function removeAll(): Promise<void> {
  if (deploymentId !== undefined) {
    for (const id of await ours("container")) {
      await docker("rm", "--force", "--volumes", id);
    }
    for (const name of await ours("volume")) {
      await docker("volume", "rm", name);
    }
  }
}

/** The command line with the image's Codex in containers, at a provider that behaves as a scenario says. */
function speckitWith(scenario: string | Scenario): Cli {
  return cli(
    join(folder.path, "state"),
    {
      DOCKER_HOST: engine.dockerHost,
      SPECKIT_RUNTIME: "docker",
      SPECKIT_JOB_IMAGE: engine.image("job"),
      SPECKIT_GATEWAY_IMAGE: engine.image("worker"),
      CODEX_API_KEY: CANARY,
      SPECKIT_CODEX_MODEL: MODEL,
      SPECKIT_CODEX_BASE_URL: model.baseUrl(scenario),
      SPECKIT_SWEEP_MS: "500",
      SPECKIT_LEASE_MS: "6000",
      SPECKIT_HEARTBEAT_MS: "1000",
    },
    250_000,
  );
}

const resultOf = (stdout: string) => runResultSchema.parse(JSON.parse(stdout));

test("the real Codex in its containers: three phases verified, a branch pushed, and the key nowhere but with the gateway", async () => {
  const done = await speckitWith("speckit").run(["run", remote, "Add OAuth login", "--json"]);
  expect([done.exitCode, done.stderr.slice(-3_000)]).toEqual([0, expect.any(String)]);
  const result = resultOf(done.stdout);
  expect(result).toMatchObject({ status: "succeeded", agent: "codex", pushed: true });
  expect(await git(remote, "rev-parse", result.branch)).toBe(result.headSha);
  const artifacts = join(folder.path, "state", "artifacts", result.runId);
  const report = JSON.parse(await readFile(join(artifacts, "plan-1", "environment.json"), "utf8"));
  expect(report.isolation).toContain("container, no network but the gateway");
  expect(report.sandbox).toBe("none of its own: its container");
  expect(result.usage.inputTokens).toBeGreaterThan(0);
  const named = (await docker("ps", "--all", "--format", '{{.Label "speckit.deployment"}}'))
    .split("\n")
    .filter(Boolean);
  deploymentId = named[0];
  // Jobs are gone, their volumes too; what is left is the gateway, which has the key in its memory alone.
  expect(await ours("container", "job")).toEqual([]);
  expect(await ours("volume", "job")).toEqual([]);
  const [gateway = ""] = await ours("container", "gateway");
  expect(await docker("inspect", gateway)).not.toContain(CANARY);
  expect(await docker("logs", gateway)).not.toContain(CANARY);
  expect(await filesWith(folder.path, CANARY)).toEqual([]);
}, 300_000);

test("killed in the middle of a phase, the agent goes on; whoever resumes goes on with the same container", async () => {
  const speckit = findScenario("speckit");
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let isFirst = true;
  const slow: Scenario = async (request) => {
    if (isFirst) {
      isFirst = false;
      reached.resolve();
      await goOn.promise;
    }
    return speckit?.(request) ?? { kind: "silence" };
  };
  const runId = randomUUID();
  const running = speckitWith(slow).start(["run", remote, "Add audit log", "--run-id", runId]);
  await reached.promise;
  const [container] = await ours("container", "job");
  running.kill("SIGKILL");
  await running.result;
  goOn.resolve();
  const done = await speckitWith(slow).run(["resume", runId, "--json"]);
  expect([done.exitCode, done.stderr.slice(-3_000)]).toEqual([0, expect.any(String)]);
  const result = resultOf(done.stdout);
  expect(result.phases.filter(({ attempt }) => attempt > 1)).toEqual([]);
  expect(container).toMatch(/^[0-9a-f]{64}$/);
  await eventually(
    "no job is left",
    () => ours("container", "job"),
    (left) => left.length === 0,
    {
      withinMs: 20_000,
      everyMs: 200,
    },
  );
}, 300_000);

test("its gateway's container killed before an answer, in the middle of one, and between two: the agent tries again and the run succeeds", async () => {
  const speckit = findScenario("speckit");
  const runId = randomUUID();
  const killed: { readonly id: string; readonly when: string; readonly asked: number }[] = [];
  let asked = 0;
  const kill = async (when: string): Promise<void> => {
    deploymentId ??= await docker(
      ...["ps", "--filter", `label=speckit.run=${runId}`],
      ...["--format", '{{.Label "speckit.deployment"}}'],
    ).then((labels) => labels.trim().split("\n")[0]);
    const [id = ""] = await ours("container", "gateway");
    const before = asked;
    await docker("kill", id);
    killed.push({ id, when, asked: asked - before });
  };
  let betweenCalls: Promise<void> | undefined;
  const scenario: Scenario = async (request) => {
    asked += 1;
    if (killed.length === 0) {
      await kill("before an answer");
      return { kind: "silence" };
    }
    const answer = (await speckit?.(request)) ?? { kind: "silence" };
    const { callsSoFar } = readConversation(request.body);
    if (killed.length === 1 && callsSoFar > 0 && answer.kind === "stream") {
      // Nothing more comes of it after its first events.
      setTimeout(() => void kill("in the middle of one"), 500);
      return { ...answer, events: answer.events.slice(0, 2), ending: "silence" };
    }
    if (killed.length === 2 && callsSoFar === 0 && betweenCalls === undefined) {
      betweenCalls = sleep(500).then(() => kill("between two"));
      return onceGatewayIsGone(answer);
    }
    return answer;
  };
  const done = await speckitWith(scenario).run([
    ...["run", remote, "Add rate limits", "--json", "--run-id", runId],
  ]);
  expect([done.exitCode, done.stderr.slice(-3_000)]).toEqual([0, expect.any(String)]);
  expect(resultOf(done.stdout)).toMatchObject({ status: "succeeded", pushed: true });
  expect(killed.map(({ when }) => when)).toEqual([
    "before an answer",
    "in the middle of one",
    "between two",
  ]);
  // Each was started anew by who carries the run; and nobody asked while the last one was killed.
  expect(new Set(killed.map(({ id }) => id)).size).toBe(3);
  expect(killed.at(-1)).toMatchObject({ asked: 0 });
}, 300_000);

/** The command in an answer waits until its container's gateway does not answer. */
function onceGatewayIsGone(answer: Answer): Answer {
  const waits = "timeout 8 sh -c 'while speckit-bridge --check > /dev/null; do :; done'; ";
  return JSON.parse(
    JSON.stringify(answer).replaceAll(String.raw`\"cmd\":\"`, (cmd) => `${cmd}${waits}`),
  );
}
