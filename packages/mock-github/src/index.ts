export type { MockFailure } from "./failures.ts";
export type { MockGitHub, SeenCall } from "./mock-github.ts";
export { type MockGitHubOptions, startMockGitHub } from "./start-mock-github.ts";
export type { MockGrant, MockPull, MockRepository } from "./state.ts";
