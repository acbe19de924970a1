import { join } from "node:path";
import { type MockModel, startMockModel } from "@speckit/mock-model";
import { tempFolder } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AGENT_PHASES, type AgentPhase } from "../../../../src/domain/phase.ts";
import { openQuestions } from "../../../../src/domain/verify/open-questions.ts";
import { verifyPhase } from "../../../../src/domain/verify/verify-phase.ts";
import {
  carryOutPhase,
  SUITE_DIRECTORY,
  writeFiles,
} from "../../../../src/testing/agent-backend/carry-out-phase.ts";
import { sampleProjectFiles } from "../../../../src/testing/sample-project.ts";
import { codexAtGateway } from "./codex-at-gateway.ts";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

type More = Parameters<typeof carryOutPhase>[3];

/** Codex on a sample project, at a provider that behaves as a scenario says. */
async function codexOnProject(scenario: string, name?: string) {
  await using undo = new AsyncDisposableStack();
  const baseUrl = model.baseUrl(scenario);
  const codex = undo.use(
    await codexAtGateway(name === undefined ? { baseUrl } : { baseUrl, model: name }),
  );
  const folder = undo.use(await tempFolder("codex"));
  await writeFiles(join(folder.path, "workspace"), sampleProjectFiles());
  const owned = undo.move();
  return {
    async carryOut(phase: AgentPhase, more?: More) {
      await using access = await codex.open();
      const done = await carryOutPhase({ ...codex, access }, folder.path, phase, more);
      expect([done.failure, done.stderr.slice(-2_000)]).toEqual([undefined, expect.any(String)]);
      return done;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test.each(["gpt-5.1-codex", "gpt-5.5", "gpt-6-sol"])(
  "Codex carries out all three phases with its own tools, as it offers them to %s",
  async (name) => {
    await using codex = await codexOnProject("speckit", name);
    for (const phase of AGENT_PHASES) {
      const { output } = await codex.carryOut(phase);
      expect([phase, verifyPhase(phase, output)]).toEqual([phase, []]);
      expect(openQuestions(output)).toEqual([]);
      const title = output.read(`${SUITE_DIRECTORY}/spec.md`)?.split("\n")[0];
      expect(title).toBe("# Feature Specification: Add OAuth login");
    }
    expect(model.complaints()).toEqual([]);
  },
);

test("two questions stay open in the specification, and are asked at the end", async () => {
  await using codex = await codexOnProject("questions");
  const { events, output } = await codex.carryOut("specify", { mayAsk: true });
  expect(verifyPhase("specify", output)).toEqual([]);
  expect(openQuestions(output)).toHaveLength(2);
  const last = events.findLast(({ type }) => type === "message");
  expect(last).toMatchObject({ text: expect.stringContaining("## Question 2: Access") });
});

test("a raw template is left behind, until the prompt says what to repair", async () => {
  await using codex = await codexOnProject("raw-template");
  const first = await codex.carryOut("specify");
  const findings = verifyPhase("specify", first.output);
  expect(findings.map(({ check }) => check)).toContain("specify.spec-differs-from-template");
  const second = await codex.carryOut("specify", { attempt: 2, findings });
  expect(verifyPhase("specify", second.output)).toEqual([]);
});
