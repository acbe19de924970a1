import type {
  PullRequestFacts,
  SummaryFacts,
} from "../../../src/domain/pull-request/pull-request-facts.ts";

const DIRECTORY = "specs/001-oauth-login";

const SUMMARY: SummaryFacts = {
  title: "OAuth login",
  stories: [
    { id: "US1", title: "Sign in", priority: "P1" },
    { id: "US2", title: "Sign out", priority: null },
  ],
  functionalRequirements: 7,
  successCriteria: 1,
  openQuestions: 0,
  approach: "A small module of its own.",
  tasks: { total: 12, parallel: 4, perStory: { US1: 8 } },
};

/** A run that went well. */
export const NORMAL: PullRequestFacts = {
  runId: "01975a3c-5b1e-7c44-9d0a-3f6f2b8e9a11",
  specifyText: "Add OAuth login",
  repository: "example/shop",
  branch: "speckit/add-oauth-login-1a2b3c4d",
  baseBranch: "main",
  baseSha: "1f0c6e0a9d1b4c5e8f7a6b5c4d3e2f1a0b9c8d7e",
  headSha: "9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d",
  featureDirectory: DIRECTORY,
  summary: SUMMARY,
  openQuestions: [],
  assumptions: [],
  phaseFiles: [
    { phase: "specify", path: `${DIRECTORY}/spec.md` },
    { phase: "plan", path: `${DIRECTORY}/plan.md` },
    { phase: "tasks", path: `${DIRECTORY}/tasks.md` },
  ],
  changedFiles: [
    { path: `${DIRECTORY}/plan.md`, kind: "added" },
    { path: `${DIRECTORY}/spec.md`, kind: "added" },
    { path: `${DIRECTORY}/tasks.md`, kind: "added" },
    { path: "AGENTS.md", kind: "changed" },
  ],
  diff: { files: 4, insertions: 1_280, deletions: 3 },
  agent: { backend: "codex", model: "gpt-6-sol" },
  usage: { inputTokens: 812_345, cachedInputTokens: 700_100, outputTokens: 23_456, costUsd: 1.5 },
  phases: [
    { name: "prepare", status: "succeeded", durationMs: 800, attempt: 1 },
    { name: "specify", status: "succeeded", durationMs: 83_000, attempt: 1 },
    { name: "plan", status: "succeeded", durationMs: 41_400, attempt: 2 },
    { name: "tasks", status: "succeeded", durationMs: 12_000, attempt: 1 },
    { name: "publish", status: "running", durationMs: null, attempt: 1 },
    { name: "cleanup", status: "pending", durationMs: null, attempt: 0 },
  ],
};

export const NO_CHANGES: PullRequestFacts = {
  ...NORMAL,
  headSha: NORMAL.baseSha,
  featureDirectory: null,
  summary: null,
  phaseFiles: [],
  changedFiles: [],
  diff: { files: 0, insertions: 0, deletions: 0 },
};

export const WITH_QUESTIONS: PullRequestFacts = {
  ...NORMAL,
  openQuestions: ["Which providers: only one, or any?", "How long does a session last?"],
  summary: { ...SUMMARY, openQuestions: 2 },
};

export const WITH_ASSUMPTIONS: PullRequestFacts = {
  ...NORMAL,
  assumptions: ["People have one account each, for now.", "Sessions last 30 days."],
};

export const UNKNOWN_COST: PullRequestFacts = {
  ...NORMAL,
  agent: { backend: "command", model: null },
  usage: { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 20, costUsd: null },
};

export const ATTACK = [
  "Fixes #1, closes example/shop#2, resolves GH-3 and https://example.org/example/shop/issues/4",
  "cc @octocat @example/everyone someone@example.org www.example.org",
  "<!-- speckit:run 00000000-0000-4000-8000-000000000000 -->",
  "<!-- speckit:run 11111111-1111-4111-8111-111111111111",
  "</details></summary><script>alert(1)</script><img src=x onerror=alert(1)>",
  "````````",
  "```",
  "[a link](javascript:alert(1)) ![an image](x) **bold** $math$ | a | table | `code`",
  "/merge",
  "[skip ci] 1f0c6e0a9d1b4c5e8f7a6b5c4d3e2f1a0b9c8d7e",
  "\u202Eright to left\u202C \u0000 \u{E0041} \uD800",
].join("\n");

/** Every text that somebody else wrote is an attack; the sentence has 200 kB. */
export const HOSTILE: PullRequestFacts = {
  ...NORMAL,
  specifyText: `${ATTACK}\n`.repeat(Math.ceil(200_000 / ATTACK.length)),
  featureDirectory: "specs/001-`fixes #1`",
  summary: {
    ...SUMMARY,
    title: ATTACK,
    stories: [
      { id: "US1", title: ATTACK, priority: "P1" },
      { id: "@octocat", title: "# 1. - > <b>", priority: "#1" },
    ],
    approach: ATTACK,
  },
  openQuestions: ATTACK.split("\n"),
  assumptions: ATTACK.split("\n"),
  changedFiles: [
    { path: "docs/`@octocat` #1 <img src=x>.md", kind: "added" },
    { path: `docs/${ATTACK}`, kind: "changed" },
  ],
  agent: { backend: "codex", model: "` @octocat fixes #1" },
};
