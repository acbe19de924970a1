import { type MockModel, startMockModel } from "@speckit/mock-model";
import { git } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { escapeSkillNames } from "../../../../src/domain/spec-kit/skill-names.ts";
import { writeFiles } from "../../../../src/testing/agent-backend/carry-out-phase.ts";
import { bareCodex } from "./run-codex.ts";

const NAME = "speckit-plan";
const skill = (name: string) => `---\nname: ${name}\ndescription: words\n---\n\nTEXT OF ${name}\n`;

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

/** Skills whose text a prompt has brought to the model. */
async function called(promptFor: (workspace: string) => string, folder = ""): Promise<string[]> {
  await using codex = await bareCodex();
  await writeFiles(codex.workspace, {
    [`.agents/skills/${NAME}/SKILL.md`]: skill(NAME),
    ".agents/skills/group/folder/SKILL.md": skill("front"),
    "packages/api/.agents/skills/own/SKILL.md": skill("own"),
  });
  await git(codex.workspace, "init", "--quiet");
  const before = model.requests().length;
  const baseUrl = model.baseUrl("ok");
  const run = await codex.run({ baseUrl, prompt: promptFor(codex.workspace), folder });
  expect(run.exitCode, run.stderr).toBe(0);
  const sent = JSON.stringify(model.requests().slice(before));
  return [...sent.matchAll(/TEXT OF ([a-z-]+)/g)].map(([, name = ""]) => name);
}

describe("what calls a skill", () => {
  test.each([
    ["at the start", `$${NAME}`],
    ["in a sentence", `Add $${NAME}, please`],
    ["in back quotes", `Add \`$${NAME}\``],
    ["in a code block", `\`\`\`\n$${NAME}\n\`\`\``],
    ["behind a backslash", `Add \\$${NAME}`],
    ["behind a letter", `a$${NAME}`],
  ])("its name %s, and no longer when that is escaped", async (_where, prompt) => {
    expect(await called(() => prompt)).toEqual([NAME]);
    expect(await called(() => escapeSkillNames(prompt, [NAME]))).toEqual([]);
  });

  test("a link to its file, whatever its text", async () => {
    const link = (workspace: string) => `[$x](${workspace}/.agents/skills/${NAME}/SKILL.md)`;
    expect(await called(link)).toEqual([NAME]);
    expect(await called((workspace) => escapeSkillNames(link(workspace), []))).toEqual([]);
  });

  test("not its folder's name, a longer name, a price, a variable", async () => {
    expect(await called(() => `$folder $${NAME}ner $5 $HOME $PLAN $ ${NAME}`)).toEqual([]);
  });
});

test("skills are found in the folder Codex works in, and in those above it", async () => {
  expect(await called(() => `$own $${NAME} $front`, "packages/api")).toEqual(
    expect.arrayContaining(["own", NAME, "front"]),
  );
  expect(await called(() => "$own")).toEqual([]);
});
