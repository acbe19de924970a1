import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { git } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;

beforeAll(async () => {
  folder = await stateFolder("cli-limits");
});

afterAll(() => folder[Symbol.asyncDispose]());

async function run(
  name: string,
  script: object,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const remote = await makeSampleRemote(join(folder.path, name), {
    ".scripted-agent.json": JSON.stringify(script),
  });
  const done = await cli(folder.path, env).run([
    "run",
    remote,
    `Add a ${name} page`,
    "--agent",
    "scripted",
    "--json",
    ...args,
  ]);
  return { remote, exitCode: done.exitCode, result: JSON.parse(done.stdout) };
}

const phaseOf = (result: { phases: { name: string }[] }, name: string) =>
  result.phases.find((phase) => phase.name === name);

test("an agent that stays silent is ended, tried once more, and the run fails with its code", async () => {
  const { exitCode, result } = await run("silent", { plan: { sleepMs: 60_000 } }, [], {
    SPECKIT_SILENCE_MS: "1500",
  });
  expect(exitCode).toBe(1);
  expect(result).toMatchObject({
    status: "failed",
    failure: { code: "AGENT_SILENT", class: "timeout" },
  });
  expect(phaseOf(result, "plan")).toMatchObject({ status: "failed", attempt: 2 });
  expect(phaseOf(result, "tasks")).toMatchObject({ status: "skipped", attempt: 0 });
});

test("a run that uses up its working time fails, and its agent is ended", async () => {
  const { exitCode, result } = await run("slow", { specify: { sleepMs: 60_000 } }, [
    "--deadline-ms",
    "4000",
  ]);
  expect(exitCode).toBe(1);
  expect(result).toMatchObject({ status: "failed", failure: { code: "RUN_DEADLINE_EXCEEDED" } });
});

test("open questions are recorded and the run goes on", async () => {
  const { exitCode, result } = await run("unclear", {
    specify: { askQuestion: "Which pages need a login?" },
  });
  expect(exitCode).toBe(0);
  expect(result.openQuestions).toEqual([{ id: "Q1", text: "Which pages need a login?" }]);
});

test("an agent that exits with 0 but writes outside its directory is refused finding by finding", async () => {
  const { remote, result } = await run("sloppy", { tasks: { touchOutside: "src/index.js" } });
  expect(result).toMatchObject({
    status: "failed",
    pushed: false,
    failure: { code: "POSTCONDITION_FAILED" },
  });
  expect(result.failure.findings.map((finding: { path: string }) => finding.path)).toContain(
    "src/index.js",
  );
  expect(await git(remote, "branch", "--list", "speckit/*")).toBe("");
});

test("a machine without a key for the default agent says so before anything is done", async () => {
  const remote = await makeSampleRemote(join(folder.path, "silent"));
  const done = await cli(folder.path).run(["run", remote, "Add a page", "--json"]);
  expect(done.exitCode).toBe(1);
  expect(JSON.parse(done.stdout)).toMatchObject({
    baseSha: null,
    failure: {
      code: "MODEL_CREDENTIALS_MISSING",
      remedy: expect.stringContaining("CODEX_API_KEY"),
    },
  });
});
