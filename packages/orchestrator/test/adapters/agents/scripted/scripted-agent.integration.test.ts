import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT_PHASES } from "../../../../src/domain/phase.ts";
import { openQuestions } from "../../../../src/domain/verify/open-questions.ts";
import { verifyPhase } from "../../../../src/domain/verify/verify-phase.ts";
import { sampleProjectFiles } from "../../../../src/testing/sample-project.ts";
import { DIRECTORY, RUN_ID, runScripted, writeFiles } from "./run-scripted.ts";

const SIGNATURE = "Written by speckit's scripted agent: a stand-in, no model was called.";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "speckit-scripted-"));
  await writeFiles(join(folder, "workspace"), sampleProjectFiles());
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const script = (actions: unknown) =>
  writeFiles(join(folder, "workspace"), { ".scripted-agent.json": JSON.stringify(actions) });

describe("scripted agent", () => {
  test.each([
    "Add OAuth login",
    "Let people export their data as CSV, schedule it; and get a mail. Keep it private",
    "[FEATURE NAME] ACTION REQUIRED [NEEDS CLARIFICATION: x] - [x] `$(rm -rf .)`\n## Requirements\n\n> quoted\n### The request, word for word",
    "登录",
    "x".repeat(5000),
  ])("all three phases of %j fulfil every postcondition", async (sentence) => {
    for (const phase of AGENT_PHASES) {
      const { exit, events, output, stderr } = await runScripted(folder, phase, { sentence });
      expect(stderr).toBe("");
      expect(exit).toMatchObject({ exitCode: 0, signal: null });
      expect(verifyPhase(phase, output)).toEqual([]);
      expect(events.filter(({ type }) => type === "usage")).toEqual([
        { type: "usage", inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0 },
      ]);
      for (const { path } of output.changed.filter((change) => change.path.endsWith(".md"))) {
        expect(output.read(path), path).toContain(SIGNATURE);
      }
      expect(openQuestions(output)).toEqual([]);
    }
  });

  test("the specification speaks of the request, and follows the project's own template", async () => {
    const { output } = await runScripted(folder, "specify", {
      sentence: "Add OAuth login and sign out",
    });
    const spec = output.read(`${DIRECTORY}/spec.md`) ?? "";
    expect(spec).toContain("# Feature Specification: Add OAuth login and sign out");
    expect(spec).toContain("### User Story 1 - Add OAuth login (Priority: P1)");
    expect(spec).toContain("### User Story 2 - Sign out (Priority: P2)");
    expect(spec.indexOf("## Assumptions")).toBeLessThan(spec.indexOf("## Accessibility"));
  });

  test("the plan answers to the project's constitution", async () => {
    await runScripted(folder, "specify");
    const { output } = await runScripted(folder, "plan");
    expect(output.read(`${DIRECTORY}/plan.md`)).toContain("- Tests first: respected");
  });

  test("works without any template or constitution", async () => {
    await rm(join(folder, "workspace/.specify"), { recursive: true });
    for (const phase of AGENT_PHASES) {
      expect(verifyPhase(phase, (await runScripted(folder, phase)).output)).toEqual([]);
    }
  });

  test("a script's actions apply to their phase and attempts alone", async () => {
    const starts = join(folder, "starts");
    await script({
      specify: [
        { onlyAttempts: [1], appendTo: starts, exitCode: 7 },
        { onlyAttempts: [2], appendTo: starts, omit: ["checklists/requirements.md"] },
        { appendTo: starts, askQuestion: "Which providers?" },
      ],
    });
    const first = await runScripted(folder, "specify", { attempt: 1 });
    expect(first.exit.exitCode).toBe(7);
    expect(first.output.changed).toEqual([]);
    const second = await runScripted(folder, "specify", { attempt: 2 });
    expect(verifyPhase("specify", second.output).map(({ check }) => check)).toEqual([
      "specify.checklist-exists",
    ]);
    const third = await runScripted(folder, "specify", { attempt: 3 });
    expect(openQuestions(third.output)).toEqual([{ id: "Q1", text: "Which providers?" }]);
    expect((await runScripted(folder, "plan")).exit.exitCode).toBe(0);

    const lines = (await readFile(starts, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ").slice(0, 3))).toEqual([
      ["specify", "1", RUN_ID],
      ["specify", "2", RUN_ID],
      ["specify", "3", RUN_ID],
    ]);
  });

  test("prints, sleeps, touches, spawns and dies as scripted", async () => {
    await script({
      specify: {
        printBytes: 200_000,
        sleepMs: 300,
        touchOutside: "README.md",
        spawn: "echo > spawned",
      },
      plan: { signal: "SIGKILL" },
      tasks: { askQuestion: "really?" },
    });
    const { exit, output, stdout } = await runScripted(folder, "specify");
    expect(exit.durationMs).toBeGreaterThanOrEqual(300);
    expect(stdout).toContain("x".repeat(200_000));
    const outside = verifyPhase("specify", output).map(({ check, path }) => [check, path]);
    expect(outside).toContainEqual(["specify.nothing-outside", "README.md"]);
    expect(outside).toContainEqual(["specify.nothing-outside", "spawned"]);
    expect((await runScripted(folder, "plan")).exit).toMatchObject({ signal: "SIGKILL" });
  });

  test("a bad script or call is named, with exit code 2 and nothing written", async () => {
    const cases: [unknown, string][] = [
      [[], "expected an object with the phases as keys"],
      [{ build: {} }, 'expected the phases specify, plan, tasks, got "build"'],
      [{ tasks: { sleep: 5 } }, 'got "sleep"'],
      [{ plan: [{ exitCode: 256 }] }, "plan.exitCode: expected a number from 0 to 255, got 256"],
      [{ plan: { touchOutside: "../x" } }, "plan.touchOutside: expected a relative path inside"],
      [{ plan: { signal: "SIGNOTHING" } }, "plan.signal: expected a signal's name"],
    ];
    for (const [actions, words] of cases) {
      await script(actions);
      const { exit, stderr, output } = await runScripted(folder, "specify");
      expect(exit.exitCode, words).toBe(2);
      expect(stderr).toContain(".scripted-agent.json: ");
      expect(stderr).toContain(words);
      expect(output.changed).toEqual([]);
    }
    await writeFiles(join(folder, "workspace"), { ".scripted-agent.json": "{" });
    expect((await runScripted(folder, "specify")).stderr).toContain("not JSON");
  });
});
