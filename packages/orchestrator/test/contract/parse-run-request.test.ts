import { describe, expect, test } from "vitest";
import { parseRunRequest, parseRunRequestBytes } from "../../src/contract/index.ts";
import { bytesOf, minimal, refusalOf, refusalOfJson } from "./refusal.ts";

const full = {
  ...minimal,
  runId: "0191d9a0-0000-7000-8000-000000000001",
  idempotencyKey: "ticket-7",
  baseBranch: "main",
  branch: "feature/oauth",
  featureDirectory: "specs/007-oauth",
  agent: { backend: "codex" },
  phases: ["specify", "plan"],
  dryRun: true,
  onQuestions: "assume",
  pauseAfter: ["plan"],
  limits: { deadlineMs: 60_000 },
  externalRef: "TICKET-7",
  metadata: { team: "blue", size: 3, urgent: false },
};

describe("a request", () => {
  test("is taken as it is, with every field and with the fewest", () => {
    expect(parseRunRequest(minimal)).toEqual(minimal);
    expect(parseRunRequest(full)).toEqual(full);
  });

  test.each<[string, unknown, string]>([
    ["schemaVersion", 2, "expected 1"],
    ["schemaVersion", "1", "expected 1"],
    ["runId", "7", "UUID"],
    ["idempotencyKey", "", ">=1"],
    ["idempotencyKey", "x".repeat(201), "<=200"],
    ["specifyText", 7, "expected string, received number"],
    ["specifyText", " \n ", "expected a sentence, got only white space"],
    ["specifyText", "a\u0000b", "NUL"],
    ["specifyText", "a\ud800b", "surrogates"],
    ["baseBranch", "--force", "branch name"],
    ["branch", "a..b", "branch name"],
    ["branch", null, "expected string, received null"],
    ["featureDirectory", "../etc", "expected specs/NNN-short-name"],
    ["agent", "codex", "expected object, received string"],
    ["phases", "specify", "expected array, received string"],
    ["phases", [], ">=1"],
    ["phases", ["specify", "plan", "tasks", "tasks"], "<=3"],
    ["dryRun", "yes", "expected boolean, received string"],
    ["onQuestions", "ask", 'expected one of "assume"|"pause"'],
    ["pauseAfter", [], ">=1"],
    ["pauseAfter", ["tasks"], "expected some of the request's phases, got tasks besides"],
    ["limits", 5, "expected object, received number"],
    ["externalRef", ["x"], "expected string, received array"],
    ["metadata", "x", "expected record, received string"],
  ])("with %s %j is refused by that name", (field, value, expected) => {
    const { code, message } = refusalOfJson({ ...full, [field]: value });
    expect(code).toBe("REQUEST_INVALID");
    expect(message.startsWith(`${field}: `), message).toBe(true);
    expect(message).toContain(expected);
  });

  test.each<[string, unknown, string]>([
    ["agent.backend", { agent: { backend: "../sh" } }, "lower-case letters"],
    ["agent: unknown field", { agent: { backend: "codex", key: "x" } }, '"key"'],
    ["phases.1", { phases: ["specify", "prepare"] }, '"specify"|"plan"|"tasks"'],
    ["pauseAfter.0", { pauseAfter: ["publish"] }, '"specify"|"plan"|"tasks"'],
    ["limits.deadlineMs", { limits: { deadlineMs: 999 } }, ">=1000"],
    ["limits.deadlineMs", { limits: { deadlineMs: 1_000.5 } }, "expected int"],
    ["limits: unknown field", { limits: { deadline: 1 } }, '"deadline"'],
    ["metadata.owner", { metadata: { owner: { name: "x" } } }, "expected text"],
    ["metadata.text", { metadata: { text: "x".repeat(2_001) } }, "2000 characters"],
    ["metadata.text", { metadata: { text: "\u0000" } }, "expected text"],
    ['metadata."a\\u0000"', { metadata: { "a\u0000": 1 } }, "without NUL"],
    ['metadata.""', { metadata: { "": 1 } }, "1 to 100 characters"],
    [
      "metadata",
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, ix) => [`k${ix}`, ix])) },
      "at most 50 entries",
    ],
  ])("with a wrong %s is refused by that name", (where, fields, expected) => {
    const { code, message } = refusalOfJson({ ...full, ...(fields as object) });
    expect(code).toBe("REQUEST_INVALID");
    expect(message.startsWith(where), message).toBe(true);
    expect(message).toContain(expected);
  });

  test.each([
    "ownername",
    "https://user:secret@example.org/x",
    "--upload-pack=x",
    7,
    null,
    "",
    "a/b\u0000",
  ])("with the repository %j is refused by its own code", (repository) => {
    const { code, message } = refusalOfJson({ ...full, repository });
    expect(code).toBe("REPOSITORY_INVALID");
    expect(message).toMatch(/^repository: /);
    expect(message).not.toContain("secret");
  });

  test("with more than one fault names each, and the repository's is one of them", () => {
    const { code, message } = refusalOfJson({ ...full, repository: "x", specifyText: "" });
    expect(code).toBe("REQUEST_INVALID");
    expect(message).toMatch(/repository: .*; specifyText: /);
  });

  test("with fields that are missing names them", () => {
    expect(refusalOfJson({}).message).toMatch(/schemaVersion: .*; repository: .*; specifyText: /);
  });

  test("with unknown fields names them, also those of Object.prototype", () => {
    const { message } = refusalOfJson({ ...full, specifyTxt: "x", reviewer: "y" });
    expect(message).toBe('the request: unknown field "specifyTxt", "reviewer"');
  });

  test("with a name that Object.prototype has is treated like any other", () => {
    const request = JSON.stringify(minimal).slice(0, -1);
    const refused = refusalOf(bytesOf(`${request},"__proto__":{"dryRun":true},"constructor":1}`));
    expect(refused.message).toBe('the request: unknown field "__proto__", "constructor"');
    const { request: taken } = parseRunRequestBytes(
      bytesOf(`${request},"metadata":{"__proto__":"x","constructor":"y"}}`),
    );
    expect(Object.getPrototypeOf(taken.metadata)).toBe(Object.prototype);
    expect(taken.metadata).toEqual({ constructor: "y" });
  });

  test("names in a refusal are cut and quoted: they come from outside", () => {
    const { message } = refusalOfJson({
      ...full,
      [`x\n${"y".repeat(500)}`]: 1,
      metadata: { [`a\nb${"c".repeat(500)}`]: 1 },
    });
    expect(message).not.toContain("\n");
    expect(refusalOfJson({ ...full, "\u009b31m\u202e": 1 }).message).toContain(
      '"\\u{9b}31m\\u{202e}"',
    );
    expect(message.length).toBeLessThan(400);
  });
});
