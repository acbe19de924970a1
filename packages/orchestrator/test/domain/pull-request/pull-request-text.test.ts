import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PullRequestFacts } from "../../../src/domain/pull-request/pull-request-facts.ts";
import { pullRequestText } from "../../../src/domain/pull-request/pull-request-text.ts";
import { runIdOf } from "../../../src/domain/pull-request/run-marker.ts";
import { anyText } from "../../any-text.ts";
import {
  ATTACK,
  HOSTILE,
  NO_CHANGES,
  NORMAL,
  UNKNOWN_COST,
  WITH_ASSUMPTIONS,
  WITH_QUESTIONS,
} from "./sample-facts.ts";

/** What a host would act on, wherever it stands: also in code, which is none in a squash commit. */
const LIVE = [
  /@[^\s\u200B]/,
  /#\d/,
  /GH-\d/i,
  /:\/\//,
  /www\./i,
  /^[^\S\n]*\/[a-z]/im,
  /\[(?:skip|ci)\b/i,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000B-\u001F\u007F\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}]/u,
];

/** Markup outside blocks and spans of code, which may only be ours. */
function tagsOf(body: string): readonly string[] {
  const prose = body
    .replace(/^(`{3,})\w+\n[\s\S]*?\n\1$/gm, "")
    .replace(/(?<![\\`])(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, "");
  return prose.match(/<[^>]*>?/g) ?? [];
}

function expectHarmless(facts: PullRequestFacts): void {
  const { title, body } = pullRequestText(facts);
  for (const pattern of LIVE) {
    expect(title).not.toMatch(pattern);
    expect(body).not.toMatch(pattern);
  }
  expect(title).not.toContain("\n");
  expect(title.length).toBeLessThanOrEqual(256);
  expect(title).not.toBe("");
  expect(body.isWellFormed()).toBe(true);
  expect(Buffer.byteLength(body.replaceAll("\n", "\r\n"))).toBeLessThan(65_536);
  expect(body.match(/<!--/g)).toHaveLength(1);
  expect(runIdOf(body)).toBe(facts.runId);
  const tags = new Set(["<details>", "</details>", "<summary>", "</summary>"]);
  expect(
    tagsOf(body)
      .slice(1)
      .filter((tag) => !tags.has(tag)),
  ).toEqual([]);
}

describe("pullRequestText", () => {
  test.for([
    ["normal", NORMAL],
    ["no-changes", NO_CHANGES],
    ["questions", WITH_QUESTIONS],
    ["assumptions", WITH_ASSUMPTIONS],
    ["unknown-cost", UNKNOWN_COST],
    ["hostile", HOSTILE],
  ] as const)("says of a run what people need to review it: %s", async ([name, facts]) => {
    const { title, body } = pullRequestText(facts);
    await expect(`${title}\n\n${body}`).toMatchFileSnapshot(`snapshots/${name}.md`);
    expectHarmless(facts);
  });

  test("no text of others mentions, closes, links, opens markup or passes for ours", () => {
    const text = fc.oneof(
      anyText,
      fc
        .array(
          fc.constantFrom(
            "`",
            "```",
            "\n",
            "\r",
            "@",
            "#",
            "1",
            "GH-",
            "gh-7",
            "<",
            "!--",
            "-->",
            "a",
            " ",
            ":",
            "//",
            "www",
            ".",
            "\\",
            "[",
            "]",
            "skip ci",
            "</details>",
            "/",
            "abcdef0",
            "&",
            "$",
            "speckit:run ",
            NORMAL.runId.replace("0", "9"),
            "\u200D",
            "\u202E",
            "\u{1F600}",
          ),
          { maxLength: 40 },
        )
        .map((parts) => parts.join("")),
    );
    const facts = fc.record({
      specifyText: fc.oneof(
        text,
        text.map((part) => (part === "" ? "x" : part.repeat(4_000))),
      ),
      repository: text,
      baseBranch: text,
      featureDirectory: fc.option(text),
      openQuestions: fc.array(text, { maxLength: 60 }),
      assumptions: fc.array(text, { maxLength: 60 }),
      changedFiles: fc.array(
        fc.record({ path: text, kind: fc.constantFrom("added", "changed", "removed") }),
        { maxLength: 300 },
      ),
      phaseFiles: fc.array(fc.record({ phase: text, path: text }), { maxLength: 5 }),
      agent: fc.record({ backend: text, model: fc.option(text) }),
      summary: fc.option(
        fc.record({
          title: fc.option(text),
          stories: fc.array(fc.record({ id: text, title: text, priority: fc.option(text) }), {
            maxLength: 50,
          }),
          functionalRequirements: fc.nat(),
          successCriteria: fc.nat(),
          openQuestions: fc.nat(),
          approach: fc.option(text),
          tasks: fc.option(
            fc.record({
              total: fc.nat(),
              parallel: fc.nat(),
              perStory: fc.dictionary(text, fc.nat()),
            }),
          ),
        }),
      ),
    });
    fc.assert(
      fc.property(facts, (others) => {
        expectHarmless({ ...NORMAL, ...(others as Partial<PullRequestFacts>) });
      }),
      { numRuns: 25 },
    );
  });

  test("the longest texts that a run can have stay within what a host takes", () => {
    const widest = "\u202E".repeat(300);
    const many = Array.from({ length: 2_000 }, () => widest);
    expectHarmless({
      ...HOSTILE,
      specifyText: `${"`".repeat(70_000)}${"\u202E\n".repeat(70_000)}`,
      openQuestions: many,
      assumptions: many,
      changedFiles: many.map((path) => ({ path, kind: "added" })),
      phaseFiles: many.map((path) => ({ phase: "specify", path })),
    });
  });

  test("a branch that reads as a reference is checked out by its commit", () => {
    const { body } = pullRequestText({ ...NORMAL, branch: "feature/#12" });
    expect(body).toContain(`git fetch origin ${NORMAL.headSha}`);
    expect(body).not.toMatch(/#\d/);
  });
});

describe("runIdOf", () => {
  test("finds the marker among what people have written, and nothing in other bodies", () => {
    const { body } = pullRequestText(HOSTILE);
    expect(runIdOf(`Please review\r\n${body.replaceAll("\n", "\r\n")}`)).toBe(HOSTILE.runId);
    expect(runIdOf(ATTACK)).toBe("00000000-0000-4000-8000-000000000000");
    expect(runIdOf(pullRequestText(HOSTILE).body.replace(/^<!--.*\n/, ""))).toBeUndefined();
    expect(runIdOf("<!-- speckit:run nothing -->")).toBeUndefined();
  });
});
