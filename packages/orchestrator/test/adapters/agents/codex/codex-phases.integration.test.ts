import { type MockModel, startMockModel } from "@speckit/mock-model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AGENT_PHASES } from "../../../../src/domain/phase.ts";
import { openQuestions } from "../../../../src/domain/verify/open-questions.ts";
import { verifyPhase } from "../../../../src/domain/verify/verify-phase.ts";
import { sampleProjectFiles } from "../../../../src/testing/sample-project.ts";
import { bareCodex } from "./run-codex.ts";
import { outputBetween, readTree, writeFiles } from "./work-tree.ts";

const DIRECTORY = "specs/007-login";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

/** One phase by Codex and the mock model, and what it has left. */
async function runPhase(
  codex: Awaited<ReturnType<typeof bareCodex>>,
  options: { readonly scenario: string; readonly prompt: string; readonly model?: string },
) {
  const before = await readTree(codex.workspace);
  const run = await codex.run({
    ...options,
    baseUrl: model.baseUrl(options.scenario),
    env: { SPECIFY_FEATURE_DIRECTORY: DIRECTORY },
  });
  const output = outputBetween(before, await readTree(codex.workspace), DIRECTORY);
  return { ...run, output };
}

test.each(["gpt-5.1-codex", "gpt-5.5", "gpt-6-sol"])(
  "Codex carries out all three phases with its own tools, as it offers them to %s",
  async (name) => {
    await using codex = await bareCodex();
    await writeFiles(codex.workspace, sampleProjectFiles());
    for (const phase of AGENT_PHASES) {
      const prompt = phase === "specify" ? "$speckit-specify Add a login" : `$speckit-${phase}`;
      const { exitCode, stderr, failure, output } = await runPhase(codex, {
        scenario: "speckit",
        prompt,
        model: name,
      });
      expect({ exitCode, failure }, stderr).toEqual({ exitCode: 0, failure: undefined });
      expect(verifyPhase(phase, output)).toEqual([]);
      expect(openQuestions(output)).toEqual([]);
      const title = output.read(`${DIRECTORY}/spec.md`)?.split("\n")[0];
      expect(title).toBe("# Feature Specification: Add a login");
    }
    expect(model.complaints()).toEqual([]);
  },
);

test("two questions stay open in the specification, and are asked at the end", async () => {
  await using codex = await bareCodex();
  await writeFiles(codex.workspace, sampleProjectFiles());
  const { events, output } = await runPhase(codex, {
    scenario: "questions",
    prompt: "$speckit-specify Add a login",
  });
  expect(verifyPhase("specify", output)).toEqual([]);
  expect(openQuestions(output)).toHaveLength(2);
  const last = events.findLast(({ item }) => (item as { type?: string })?.type === "agent_message");
  expect(JSON.stringify(last)).toContain("## Question 2: Access");
});

test("a raw template is left behind, until the prompt says what to repair", async () => {
  await using codex = await bareCodex();
  await writeFiles(codex.workspace, sampleProjectFiles());
  const prompt = "$speckit-specify Add a login";
  const first = await runPhase(codex, { scenario: "raw-template", prompt });
  expect(first.exitCode).toBe(0);
  expect(verifyPhase("specify", first.output).map(({ check }) => check)).toContain(
    "specify.spec-differs-from-template",
  );
  const second = await runPhase(codex, {
    scenario: "raw-template",
    prompt: `${prompt}\n\n### What to repair\n\n- \`spec.md\`: the template as it stands`,
  });
  expect(verifyPhase("specify", second.output)).toEqual([]);
});
