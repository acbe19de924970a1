import { resolve } from "node:path";
import type { ExitCode } from "@speckit/orchestrator";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { carryHere } from "../carry-here.ts";
import { openSession } from "../open-session.ts";

const SENTENCE = "Add a health endpoint that tells whether the service is ready";

/** `speckit demo`: a whole run on a sample repository with its own bare remote, below `.speckit/demo`. */
export async function demoCommand(): Promise<ExitCode> {
  const folder = resolve(".speckit", "demo");
  const remote = await makeSampleRemote(folder);
  await using session = await openSession({
    stateDir: resolve(folder, "state"),
    // Its agent is a program of this checkout.
    runtime: "process",
    carries: true,
  });
  const { run } = await session.orchestrator.submit({
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: SENTENCE,
    agent: { backend: "scripted" },
  });
  const code = await carryHere(session, run, {});
  if (code === 0) {
    process.stdout.write(nextSteps(remote, run.branch));
  }
  return code;
}

function nextSteps(remote: string, branch: string): string {
  return `
Look at it:
  git -C ${remote} log --stat ${branch}
Your own repository, with Codex and your own key (npm install -g @openai/codex@0.169.0):
  CODEX_API_KEY=<key> npx speckit run <owner/name or path> "<sentence>" --dry-run
The same over RabbitMQ, with two workers:
  npm run fleet
`;
}
