import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MockModel, startMockModel } from "../src/index.ts";
import { ask, TOOLS } from "./ask.ts";
import { itemsIn } from "./read-events.ts";

let model: MockModel;
beforeAll(async () => {
  model = await startMockModel();
});
afterAll(() => model[Symbol.asyncDispose]());

const INSTRUCTIONS =
  "Read the sentence and write down what people need of it, and not how. ".repeat(3);
const skill = (phase: string, text = INSTRUCTIONS) =>
  `<skill>\n<name>speckit-${phase}</name>\n<path>/w/SKILL.md</path>\n${text}`;
const RULES =
  "\n\n## This run, from speckit\n\n- The feature directory is `specs/007-login`, and no other.";
const specify = (more = "") => [`$speckit-specify Add a login${RULES}${more}`, skill("specify")];
const DIRECTORY = "feature directory: specs/007-login\n";

type Item = Readonly<Record<string, unknown>>;
const next = async (scenario: string, asked: Parameters<typeof ask>[1]): Promise<Item> => {
  const response = await ask(model.baseUrl(scenario), asked);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return itemsIn(text)[0]!;
};
const commandOf = (item: Item) => JSON.parse(String(item.arguments)).cmd as string;
const saidIn = (item: Item) => (item.content as { text: string }[])[0]!.text;

describe("the scenario speckit", () => {
  test("looks where it is, writes each document by a tool, and looks whether all are there", async () => {
    const commands: string[] = [];
    const outputs: string[] = [];
    for (let item: Item; ; outputs.push(commands.length === 1 ? DIRECTORY : "")) {
      if (commands.at(-1)?.startsWith("ls ")) {
        outputs[outputs.length - 1] =
          "specs/007-login/spec.md\nspecs/007-login/checklists/requirements.md\n.specify/feature.json\n";
      }
      item = await next("speckit", { prompt: specify(), outputs });
      if (item.type === "message") {
        expect(saidIn(item)).toBe("The phase specify is done.");
        break;
      }
      commands.push(commandOf(item));
    }
    expect(commands).toEqual([
      expect.stringContaining("$SPECIFY_FEATURE_DIRECTORY"),
      expect.stringContaining("cat > 'specs/007-login/spec.md' <<"),
      expect.stringContaining("cat > 'specs/007-login/checklists/requirements.md' <<"),
      expect.stringContaining("cat > '.specify/feature.json' <<"),
      expect.stringMatching(/^ls -d /),
    ]);
    expect(commands[1]).toContain("# Feature Specification: Add a login\n");
  });

  test("writes by apply_patch where that is offered, else by what runs commands", async () => {
    const asked = { prompt: specify(), outputs: [DIRECTORY] };
    expect(await next("speckit", { ...asked, tools: TOOLS.patch })).toMatchObject({
      type: "custom_tool_call",
      name: "apply_patch",
      input: expect.stringMatching(
        /^\*\*\* Begin Patch\n\*\*\* Add File: specs\/007-login\/spec\.md\n\+# Feature/,
      ),
    });
    expect(await next("speckit", { ...asked, tools: TOOLS.code })).toMatchObject({
      type: "custom_tool_call",
      name: "exec",
      input: expect.stringContaining("tools.apply_patch("),
    });
  });

  test("makes the tasks from the specification that a tool has shown", async () => {
    const prompt = [`$speckit-tasks${RULES}`, skill("tasks")];
    expect(commandOf(await next("speckit", { prompt }))).toContain("spec.md");
    const spec = "# Feature Specification: Login\n\n### User Story 3 - Sign in (Priority: P1)\n";
    const item = await next("speckit", { prompt, outputs: [`${DIRECTORY}${spec}`] });
    expect(commandOf(item)).toContain("[P] [US3] Write the test");
  });

  test("takes instructions in the prompt itself, for an agent that knows no skills", async () => {
    const rules = `${RULES}\n- Carry out the phase \`plan\` alone, completely, then stop.`;
    const item = await next("speckit", { prompt: [`${INSTRUCTIONS}${rules}`] });
    expect(commandOf(item)).toContain("specs/007-login");
  });
});

describe("a complaint is made", () => {
  const complaint = async (asked: Parameters<typeof ask>[1]) => {
    const response = await ask(model.baseUrl("speckit-wrong"), asked);
    expect(response.status).toBe(400);
    return model.requests("speckit-wrong").at(-1)!.complaint;
  };

  test("when a skill is called and its text has not arrived", async () => {
    expect(await complaint({ prompt: [specify()[0]!] })).toBe(
      "$speckit-specify is called, but its skill's text has not arrived",
    );
    expect(await complaint({ prompt: [`$speckit-plan${RULES}`, skill("plan", "---")] })).toContain(
      "the skill of plan arrived with",
    );
  });

  test("when prompt and environment name two directories, or none", async () => {
    const outputs = ["feature directory: specs/008-other\n"];
    expect(await complaint({ prompt: specify(), outputs })).toBe(
      "the prompt names specs/007-login, the tools' environment specs/008-other",
    );
    const bare = ["$speckit-specify Add a login", skill("specify")];
    expect(await complaint({ prompt: bare, outputs: ["feature directory: \n"] })).toContain(
      "neither the prompt",
    );
  });

  test("when the tools have not left what they were asked to write", async () => {
    const outputs = [DIRECTORY, "", "", "", ".specify/feature.json\n"];
    expect(await complaint({ prompt: specify(), outputs })).toBe(
      "written by a tool, and not there: specs/007-login/spec.md, specs/007-login/checklists/requirements.md",
    );
  });
});

describe("a variation", () => {
  const listing =
    "specs/007-login/spec.md\nspecs/007-login/checklists/requirements.md\n.specify/feature.json\n";

  test("questions asks two questions, until the prompt carries answers", async () => {
    const asked = { prompt: specify(), outputs: [DIRECTORY] };
    const open = commandOf(await next("questions", asked));
    expect(open.match(/\[NEEDS CLARIFICATION: /g)).toHaveLength(2);
    const outputs = [DIRECTORY, "", "", "", listing];
    const said = saidIn(await next("questions", { ...asked, outputs }));
    expect(said.match(/^## Question \d: .+$/gm)).toEqual([
      "## Question 1: Retention",
      "## Question 2: Access",
    ]);
    expect(said).toContain("| A | 30 days |");

    const answers =
      "\n\n### What people have answered\n\nThey said:\n\n- For how long?\n  > For ten\n  > days\n- Who?\n  > All\n";
    const prompt = specify(answers);
    const closed = commandOf(await next("questions", { prompt, outputs: [DIRECTORY] }));
    expect(closed).not.toContain("NEEDS CLARIFICATION");
    expect(closed).toContain("kept for a time: For ten days.");
    expect(saidIn(await next("questions", { prompt, outputs }))).not.toContain("## Question");
  });

  test("raw-template leaves the template as it is, until the prompt says what to repair", async () => {
    const outputs = [DIRECTORY];
    expect(commandOf(await next("raw-template", { prompt: specify(), outputs }))).toBe(
      "mkdir -p 'specs/007-login' && cp .specify/templates/spec-template.md 'specs/007-login/spec.md'",
    );
    const repair = specify("\n\n### What to repair\n\n- `spec.md`: the template as it stands");
    expect(commandOf(await next("raw-template", { prompt: repair, outputs }))).toContain(
      "# Feature Specification: Add a login",
    );
  });
});
