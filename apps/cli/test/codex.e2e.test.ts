import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  findScenario,
  type MockModel,
  QUESTIONS,
  type Scenario,
  startMockModel,
  USAGE_PER_CALL,
} from "@speckit/mock-model";
import { runResultSchema } from "@speckit/orchestrator/contract";
import {
  makeSampleRemote,
  sampleMonorepoFiles,
  sampleProjectFiles,
} from "@speckit/orchestrator/sample-project";
import { codexBinary, eventually, filesWith, git, processesWith } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** By chance: a key that stood here would be found in the clone of this repository. */
const CANARY = `sk-canary-${randomUUID()}`;
const MODEL = "gpt-5.5";
const PRICES = {
  [MODEL]: {
    inputUsdPerMTok: 2,
    cachedInputUsdPerMTok: 0.5,
    outputUsdPerMTok: 10,
    asOf: "2026-11-01",
  },
};

let folder: StateFolder;
let model: MockModel;
let remote: string;

beforeAll(async () => {
  folder = await stateFolder("cli-codex", "state");
  await mkdir(join(folder.path, "state"));
  model = await startMockModel({ apiKey: CANARY });
  remote = await makeSampleRemote(folder.path);
});

afterAll(async () => {
  expect(model.complaints()).toEqual([]);
  await model[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** The command line with the real Codex, at a provider that behaves as a scenario says. */
function speckitWith(scenario: string | Scenario, env: Record<string, string> = {}): Cli {
  return cli(join(folder.path, "state"), {
    CODEX_API_KEY: CANARY,
    SPECKIT_CODEX_PATH: codexBinary(),
    SPECKIT_CODEX_MODEL: MODEL,
    SPECKIT_CODEX_BASE_URL: model.baseUrl(scenario),
    SPECKIT_MODEL_PRICES: JSON.stringify(PRICES),
    ...env,
  });
}

const resultOf = (stdout: string) => runResultSchema.parse(JSON.parse(stdout));

const artifact = async (runId: string, name: string): Promise<string> =>
  readFile(join(folder.path, "state", "artifacts", runId, name), "utf8");

/** A clone of the repository these tests stand in, with a Spec Kit layout added. */
async function thisRepository(): Promise<string> {
  const clone = join(folder.path, "this-repository");
  await git(folder.path, "clone", "--quiet", "--no-hardlinks", ROOT, clone);
  for (const [path, content] of Object.entries(sampleProjectFiles())) {
    if (path.startsWith(".specify/") || path.startsWith(".agents/")) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), content);
    }
  }
  await git(clone, "add", "--all", "--force");
  const author = ["-c", "user.name=Sample", "-c", "user.email=sample@localhost"];
  await git(clone, ...author, "commit", "--quiet", "--message", "Add Spec Kit");
  const bare = join(folder.path, "this-repository.git");
  await git(folder.path, "clone", "--quiet", "--bare", clone, bare);
  return bare;
}

test("with the real Codex on this repository: three phases verified, a branch pushed, usage and cost told, and the key nowhere", async () => {
  const repository = await thisRepository();
  const done = await speckitWith("speckit").run(["run", repository, "Add OAuth login", "--json"]);
  expect([done.exitCode, done.stderr.slice(-3_000)]).toEqual([0, expect.any(String)]);
  const result = resultOf(done.stdout);
  expect(result).toMatchObject({ status: "succeeded", agent: "codex", pushed: true });
  expect(await git(repository, "rev-parse", result.branch)).toBe(result.headSha);
  const files = await git(repository, "ls-tree", "-r", "--name-only", result.branch);
  for (const name of ["spec.md", "plan.md", "tasks.md"]) {
    expect(files).toContain(`${result.featureDirectory}/${name}`);
  }

  const calls = model.requests("speckit");
  expect(result.usage).toMatchObject({
    inputTokens: calls.length * USAGE_PER_CALL.inputTokens,
    outputTokens: calls.length * USAGE_PER_CALL.outputTokens,
  });
  expect(result.usage.costUsd).toBeGreaterThan(0);
  // The provider hears the key and nothing of the machine; it never hears the agent's token.
  expect(new Set(calls.map(({ headers }) => headers.authorization))).toEqual(
    new Set([`Bearer ${CANARY}`]),
  );
  expect(calls.flatMap(({ headers }) => Object.keys(headers))).not.toContain(
    "x-codex-turn-metadata",
  );
  const report = JSON.parse(await artifact(result.runId, "plan-1/environment.json"));
  expect(report).toMatchObject({
    backend: "codex",
    version: expect.stringMatching(/^codex-cli \d+\.\d+\.\d+/),
    model: MODEL,
    sandbox: "workspace-write, by Codex",
    promptSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const events = (await artifact(result.runId, "specify-1/events.jsonl")).trim().split("\n");
  expect(events.map((line) => JSON.parse(line).type)).toEqual(
    expect.arrayContaining(["file", "message", "usage"]),
  );
  expect(await filesWith(folder.path, CANARY)).toEqual([]);
}, 120_000);

test("a search for the key finds one that was planted, wherever it is", async () => {
  const planted = join(folder.path, "state", "planted", "deep");
  await mkdir(planted, { recursive: true });
  await writeFile(join(planted, "binary"), Buffer.from(`\0\xff${CANARY}\0`, "latin1"));
  expect(await filesWith(folder.path, CANARY)).toEqual([join(planted, "binary")]);
  await writeFile(join(planted, "binary"), "");
});

test("killed in the middle of a turn, nothing of the key is left, and no process of the agent had it", async () => {
  const speckit = findScenario("speckit");
  const hung = Promise.withResolvers<void>();
  const held = Promise.withResolvers<never>();
  const hangs: Scenario = (request) => {
    if (request.ordinal < 3) {
      return speckit?.(request) ?? held.promise;
    }
    hung.resolve();
    return held.promise;
  };
  const running = speckitWith(hangs).start(["run", remote, "Add a page", "--json"]);
  await hung.promise;
  const pids = await eventually(
    "Codex runs",
    () => processesWith(`${codexBinary()}\0exec`),
    (found) => found.length > 0,
  );
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, "latin1");
    expect(environment).toContain("SPECKIT_MODEL_TOKEN=");
    expect(environment).not.toContain(CANARY);
  }
  running.kill("SIGKILL");
  await running.result;
  await eventually(
    "Codex is gone",
    () => processesWith(`${codexBinary()}\0exec`),
    (found) => found.length === 0,
  );
  expect((await readdir(join(folder.path, "state", "runs"))).length).toBeGreaterThan(0);
  expect(await filesWith(folder.path, CANARY)).toEqual([]);
}, 120_000);

test("maxTokens ends the run within one call of the limit, with figures and what was made so far", async () => {
  const perCall = USAGE_PER_CALL.inputTokens + USAGE_PER_CALL.outputTokens;
  const scenario = "speckit-tokens";
  const done = await speckitWith(scenario).run([
    ...["run", remote, "Add a page", "--json", "--max-tokens", String(perCall * 3)],
  ]);
  expect(done.exitCode).toBe(1);
  const result = resultOf(done.stdout);
  expect(result.failure).toMatchObject({ code: "TOKEN_LIMIT_REACHED", class: "permanent" });
  expect(model.requests(scenario)).toHaveLength(3);
  expect(result.usage.inputTokens + result.usage.outputTokens).toBe(perCall * 3);
  expect(await artifact(result.runId, "specify-1/partial.patch")).toContain("spec.md");
}, 60_000);

test("maxUsd does the same with the cost, over all phases; without a price it is refused", async () => {
  const scenario = "speckit-cost";
  const done = await speckitWith(scenario).run([
    ...["run", remote, "Add a page", "--json", "--max-usd", "0.02"],
  ]);
  const result = resultOf(done.stdout);
  expect(result.failure).toMatchObject({ code: "COST_LIMIT_REACHED" });
  const perCall = (result.usage.costUsd ?? 0) / model.requests(scenario).length;
  expect(result.usage.costUsd).toBeGreaterThanOrEqual(0.02);
  expect(result.usage.costUsd).toBeLessThan(0.02 + perCall + 1e-9);
  expect(result.phases.find(({ name }) => name === "specify")?.status).toBe("succeeded");

  const unpriced = await speckitWith("speckit-unpriced", { SPECKIT_MODEL_PRICES: "{}" }).run([
    ...["run", remote, "Add a page", "--json", "--max-usd", "5"],
  ]);
  expect(resultOf(unpriced.stdout).failure).toMatchObject({ code: "PRICE_UNKNOWN" });
  expect(model.requests("speckit-unpriced")).toEqual([]);
}, 120_000);

test("a phase that leaves the raw template is told its findings, and its repair succeeds in the same conversation", async () => {
  const scenario = "raw-template";
  const done = await speckitWith(scenario).run([
    ...["run", remote, "Add a page", "--json", "--phases", "specify"],
  ]);
  expect(done.exitCode, done.stderr).toBe(0);
  const result = resultOf(done.stdout);
  expect(result.phases.find(({ name }) => name === "specify")).toMatchObject({
    status: "succeeded",
    attempt: 2,
  });
  const sessions = model.requests(scenario).map(({ headers }) => headers["session-id"]);
  expect(new Set(sessions).size).toBe(1);
}, 120_000);

test.each([
  ["prompt files alone", () => sampleProjectFiles("prompts"), ""],
  ["a project in a folder", () => sampleMonorepoFiles("packages/api"), "packages/api/"],
] as const)(
  "a repository with %s is served by Codex too",
  async (name, files, directory) => {
    const repository = await makeSampleRemote(join(folder.path, name), {}, files());
    const done = await speckitWith(`speckit-${directory === "" ? "prompts" : "folder"}`).run([
      ...["run", repository, "Add a page", "--json"],
    ]);
    expect([done.exitCode, done.stderr.slice(-3_000)]).toEqual([0, expect.any(String)]);
    const result = resultOf(done.stdout);
    expect(result.featureDirectory?.startsWith(`${directory}specs/`)).toBe(true);
    const left = await git(repository, "ls-tree", "-r", "--name-only", result.branch);
    expect(left).toContain(`${result.featureDirectory}/tasks.md`);
  },
  120_000,
);

test("an agent that prints nothing while its model thinks is no silent one", async () => {
  const speckit = findScenario("speckit");
  const thinks: Scenario = async (request) => {
    const answer = await (speckit?.(request) ?? Promise.reject(new Error("no such scenario")));
    return request.ordinal === 2 && answer.kind === "stream"
      ? { ...answer, pauseMs: 1_500 }
      : answer;
  };
  const done = await speckitWith(thinks, { SPECKIT_SILENCE_MS: "3000" }).run([
    ...["run", remote, "Add a page", "--json", "--phases", "specify"],
  ]);
  expect(done.exitCode, done.stderr.slice(-3_000)).toBe(0);
  const specify = resultOf(done.stdout).phases.find(({ name }) => name === "specify");
  expect(specify).toMatchObject({ status: "succeeded", attempt: 1 });
}, 120_000);

test("a model, an option or a missing key is refused by name", async () => {
  const speckit = speckitWith("speckit-refused", { SPECKIT_CODEX_MODELS: "gpt-5.5" });
  const refused = async (...more: readonly string[]) =>
    (await speckit.run(["run", remote, "Add a page", ...more])).stderr;
  expect(await refused("--model", "gpt-9")).toContain(
    'agent.model: expected one of gpt-5.5, got "gpt-9"',
  );
  expect(await refused("--option", "reasoningEffort=huge")).toContain(
    "agent.options.reasoningEffort: expected minimal, low, medium, high, xhigh",
  );
  const keyless = await speckitWith("speckit-refused", { CODEX_API_KEY: "" }).run([
    ...["run", remote, "Add a page", "--json"],
  ]);
  expect(resultOf(keyless.stdout).failure).toMatchObject({
    code: "MODEL_CREDENTIALS_MISSING",
    remedy: "Set CODEX_API_KEY or OPENAI_API_KEY (or the same with _FILE).",
  });
  expect(model.requests("speckit-refused")).toEqual([]);
}, 60_000);

test("doctor looks at everything a run with Codex needs, and says what is wrong", async () => {
  const fine = await speckitWith("ok", {
    SPECKIT_AGENT_COMMAND: '["acme"]',
    SPECKIT_AGENT_SECRETS: "ACME_API_KEY",
    ACME_API_KEY: "acme-secret",
  }).run(["doctor", "--json"]);
  expect(fine.exitCode, fine.stdout).toBe(0);
  const secrets = { check: "command.secrets", state: "ok", found: "set: ACME_API_KEY" };
  expect(JSON.parse(fine.stdout)).toContainEqual(secrets);
  expect(fine.stdout).not.toContain("acme-secret");
  const states = JSON.parse(fine.stdout).map((found: { check: string; state: string }) => [
    found.check,
    found.state,
  ]);
  expect(Object.fromEntries(states)).toMatchObject({
    "codex.executable": "ok",
    "codex.key": "ok",
    "codex.provider": "ok",
    "codex.sandbox": "ok",
  });
  const broken = await speckitWith("ok", {
    SPECKIT_CODEX_PATH: "/nowhere/codex",
    CODEX_API_KEY: "another-key",
  }).run(["doctor"]);
  expect(broken.exitCode).toBe(78);
  expect(broken.stdout).toContain("/nowhere/codex was not found");
  expect(broken.stdout).toContain("refuses the key (401)");
}, 60_000);

test("with the real Codex: two questions with what it suggests are answered, its specification is rejected, then approved", async () => {
  const speckit = speckitWith("questions");
  const step = async (exitCode: number, ...args: readonly string[]) => {
    const done = await speckit.run([...args, "--json"]);
    expect([done.exitCode, done.stderr.slice(-3_000)]).toEqual([exitCode, expect.any(String)]);
    return resultOf(done.stdout);
  };
  const asked = await step(
    3,
    ...["run", remote, "Keep records", "--on-questions", "pause", "--pause-after", "specify"],
  );
  expect(asked.openQuestions).toMatchObject(
    QUESTIONS.map(({ text, context, options }, ix) => ({
      id: `Q${ix + 1}`,
      text,
      context,
      options: options.map(([answer, implications], at) => ({
        key: "ABCDE"[at],
        text: answer,
        implications,
      })),
    })),
  );
  const { runId } = asked;
  const waiting = await step(3, "answer", runId, "b", "The owner alone");
  expect(waiting).toMatchObject({
    openQuestions: [],
    approval: { phase: "specify", attempt: 2 },
  });
  const [chosen = ""] = QUESTIONS[0].options[1] ?? [];
  const prompt = await artifact(runId, "specify-2/prompt.md");
  expect(prompt).toContain(`- ${QUESTIONS[0].text}\n  > ${chosen}\n`);
  expect(prompt).toContain(`- ${QUESTIONS[1].text}\n  > The owner alone`);

  await step(3, "reject", runId, "--comment", "Name the owner in the title");
  const heard = model.requests("questions").map(({ body }) => JSON.stringify(body));
  expect(heard.some((body) => body.includes("> Name the owner in the title"))).toBe(true);
  const result = await step(0, "approve", runId);
  expect(result).toMatchObject({ status: "succeeded", agent: "codex", pushed: true });
  expect(result.phases.find(({ name }) => name === "specify")).toMatchObject({ attempt: 3 });
  const spec = `${result.branch}:${result.featureDirectory}/spec.md`;
  expect(await git(remote, "show", spec)).toContain(chosen);
}, 180_000);
