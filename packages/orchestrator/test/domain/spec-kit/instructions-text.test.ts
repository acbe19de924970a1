import { describe, expect, test } from "vitest";
import { fillArguments, instructionsText } from "../../../src/domain/spec-kit/instructions-text.ts";

describe("instructionsText", () => {
  test("drops the front matter of Markdown alone", () => {
    const text = (content: string) => instructionsText("SKILL.md", content);
    expect(text("---\nname: x\ndescription: a --- b\n---\n\n# Plan\n\n---\n\nEnd.\n")).toBe(
      "# Plan\n\n---\n\nEnd.",
    );
    expect(text("\ufeff---\r\nname: x\r\n---\r\nBody")).toBe("Body");
    expect(text("---\n---\nBody")).toBe("Body");
    expect(text("Body\n---\nmore\n---\n")).toBe("Body\n---\nmore\n---");
    expect(text("---\nnever closed")).toBe("---\nnever closed");
    expect(text("---\nagent: speckit.plan\n---\n")).toBe("");
  });

  test("takes the prompt out of TOML, whatever its quotes", () => {
    const text = (content: string) => instructionsText("plan.toml", content);
    expect(
      text(
        'description = "prompt = no"\n\nprompt = """\nSay \\"hi\\" to {{args}}\\n\n\\u00e9 \\\n   on\n"""\n',
      ),
    ).toBe('Say "hi" to {{args}}\n\né on');
    expect(text("prompt = '''\nC:\\new {{args}}\n'''\n")).toBe("C:\\new {{args}}");
    expect(text('prompt = "one\\tline"')).toBe("one\tline");
    expect(text("prompt = 'as it is: \\t'")).toBe("as it is: \\t");
    expect(text('description = "nothing"')).toBe("");
    expect(text('prompt = """never closed')).toBe("");
  });
});

describe("fillArguments", () => {
  test("fills every form in, once: a sentence is only text", () => {
    const sentence = "Costs $& {ARGS} $ARGUMENTS {{args}} $1";
    expect(fillArguments("a $ARGUMENTS b {ARGS} c {{args}} d $ARGUMENTS_FILE", sentence)).toBe(
      `a ${sentence} b ${sentence} c ${sentence} d $ARGUMENTS_FILE`,
    );
  });
});
