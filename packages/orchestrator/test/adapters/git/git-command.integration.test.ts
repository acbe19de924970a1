import { join } from "node:path";
import { expect, test } from "vitest";
import { gitRunner } from "../../../src/adapters/git/git-command.ts";
import { DEFAULT_GIT_DEADLINES } from "../../../src/adapters/git/options.ts";
import { staticCredentials } from "../../../src/adapters/git/static-credentials.ts";
import { winstonLogger } from "../../../src/adapters/winston/index.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

function runner(stateDir: string, path = process.env.PATH) {
  return gitRunner({
    stateDir,
    credentials: staticCredentials([]),
    deadlines: DEFAULT_GIT_DEADLINES,
    logger: winstonLogger({ level: "error", format: "json", secrets: [] }),
    environment: { ...process.env, PATH: path },
  });
}

const { signal } = new AbortController();

test("a folder that somebody has removed is worth another try, which makes it anew", async () => {
  const stateDir = temporaryFolder();
  const gitDir = join(stateDir, "gone");
  await expect(
    runner(stateDir)({ args: ["rev-parse", "HEAD"], gitDir }, signal),
  ).rejects.toMatchObject({ code: "GIT_FAILED", class: "transient" });
});

test("a machine without git is a matter of configuration", async () => {
  const stateDir = temporaryFolder();
  await expect(runner(stateDir, stateDir)({ args: ["version"] }, signal)).rejects.toMatchObject({
    code: "CONFIGURATION_INVALID",
  });
});
