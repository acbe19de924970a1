import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type MockGitHub, startMockGitHub } from "@speckit/mock-github";
import { afterAll, beforeAll } from "vitest";
import { faultBench } from "./fault-bench.ts";

/** A fault bench whose repositories are at a GitHub, with a token that may do all of it. */
export async function githubBench(name: string) {
  const bench = await faultBench(name);
  /** With signs that look otherwise in a URL. */
  const token = `ghp_canary/${randomUUID()}+1`;
  let gitHub: MockGitHub;
  let caFile = "";

  beforeAll(async () => {
    gitHub = await startMockGitHub({ folder: join(bench.folder, "github") });
    gitHub.giveToken(token, { kind: "classic", login: "robot", scopes: ["repo"] });
    caFile = join(bench.folder, "ca.pem");
    await writeFile(caFile, gitHub.certificate ?? "");
  });
  // Throws when a call or an answer was none that GitHub's description allows.
  afterAll(() => gitHub[Symbol.asyncDispose]());

  return {
    bench,
    token,
    get gitHub() {
      return gitHub;
    },

    /** What a worker needs to know of it. */
    env: (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
      GITHUB_API_URL: gitHub.apiUrl,
      GITHUB_TOKEN: token,
      GIT_SSL_CAINFO: caFile,
      SPECKIT_REPOSITORIES: `${gitHub.url}/*`,
      ...more,
    }),

    /** A sample at `acme/<name>`. @returns GitHub's side of it, and the request for a run on it */
    async repository(name: string, script: Readonly<Record<string, object>> = {}) {
      const path = join(bench.folder, "github", "acme", `${name}.git`);
      const gitRemote = `${gitHub.url}/acme/${name}`;
      await bench.remote(script, { path, gitRemote });
      const there = gitHub.repository(`acme/${name}`);
      const request = (runId: string = randomUUID(), more: Record<string, unknown> = {}) => ({
        ...bench.request(path, runId),
        repository: gitRemote,
        ...more,
      });
      return { there, path, request };
    },
  };
}
