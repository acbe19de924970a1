import { diagnoseGit } from "../../adapters/git/index.ts";
import type { GitHubHostOptions } from "../../adapters/github/index.ts";
import { GITHUB_API_URL } from "../../domain/git-hub-host.ts";
import { parseRepository } from "../../domain/repository-address.ts";
import { type Diagnosis, notLookedAt, problem } from "../../ports/diagnosis.ts";
import { allowsFile, commitsOf } from "../commits-of.ts";
import type { OrchestratorConfig } from "../config.ts";
import { openGitCredentials } from "../open-git-credentials.ts";
import { loggerFor } from "../open-orchestrator.ts";
import type { Environment } from "../setting-value.ts";
import { lookWithin } from "./look-within.ts";

const MOST = 20;
/** Less than all of it may take, so that git's findings are not lost with a host that hangs. */
const HOST_MS = 50_000;

/**
 * Git, and what it and the host of pull requests say to each repository that is named in full: by the
 * allow-list or by whoever asks.
 */
export async function diagnoseRepositories(
  config: OrchestratorConfig,
  { asked, environment }: { readonly asked: readonly string[]; readonly environment: Environment },
): Promise<readonly Diagnosis[]> {
  const named = [...asked, ...(config.repositories ?? []).filter((name) => !name.includes("*"))];
  const gitRemotes = new Set<string>();
  const found: Diagnosis[] = [];
  for (const name of named.slice(0, MOST)) {
    const address = parseRepository(name);
    if ("problem" in address) {
      found.push(
        problem(
          "git.push",
          `${name.replace(/\/\/[^/@]*@/, "//…@")}: ${address.problem}`,
          "Use owner/name, https://host/path, ssh://git@host/path or git@host:path.",
        ),
      );
    } else {
      gitRemotes.add(address.gitRemote);
    }
  }
  if (named.length === 0) {
    found.push(
      notLookedAt(
        "git.push",
        "no repository is named in full",
        "`speckit doctor --repository owner/name` looks at one.",
      ),
    );
  }
  if (named.length > MOST) {
    found.push(notLookedAt("git.push", `${named.length - MOST} more of the allow-list`));
  }
  return [
    ...(await lookWithin("git.program", () => look(config, [...gitRemotes], environment))),
    ...found,
  ];
}

async function look(
  config: OrchestratorConfig,
  gitRemotes: readonly string[],
  environment: Environment,
): Promise<readonly Diagnosis[]> {
  const logger = loggerFor({ ...config, logLevel: "error" });
  await using credentials = await openGitCredentials(config, logger);
  const [ofGit, ofHost] = await Promise.all([
    diagnoseGit({
      ...commitsOf(config),
      ...(config.ssh === undefined ? {} : { ssh: config.ssh }),
      credentials,
      allowFile: allowsFile(config),
      logger,
      environment,
      gitRemotes,
    }),
    lookWithin(
      "github.pull-requests",
      () => pullRequests(config, gitRemotes, { credentials, environment, logger }),
      HOST_MS,
    ),
  ]);
  return [...ofGit, ...ofHost];
}

/** Octokit is loaded only where it is used. */
async function pullRequests(
  config: OrchestratorConfig,
  gitRemotes: readonly string[],
  parts: Pick<GitHubHostOptions, "credentials" | "logger"> & { readonly environment: Environment },
): Promise<readonly Diagnosis[]> {
  if (config.pullRequestHost === "none" || gitRemotes.length === 0) {
    return [];
  }
  const { diagnoseGitHub } = await import("../../adapters/github/diagnose-github.ts");
  const apiUrl = config.gitHub?.apiUrl ?? GITHUB_API_URL;
  return diagnoseGitHub({ apiUrl, ...parts }, gitRemotes);
}
