import { createPrivateKey } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import { webHostOf } from "../../domain/git-hub-host.ts";
import { oneLine } from "../../domain/one-line.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitCredential, GitCredentialSource } from "../../ports/git-credentials.ts";
import { GitHubError } from "./github-failures.ts";
import { openClient } from "./open-client.ts";
import { openConnection } from "./open-connection.ts";
import type { GitHubReach } from "./options.ts";
import { type RepositoryName, repositoryNameOf } from "./repository-name.ts";

export interface GitHubAppOptions extends GitHubReach {
  /** Its number, or its client id. */
  readonly appId: string;
  /** PEM, PKCS#1 (as GitHub gives it) or PKCS#8. */
  readonly privateKey: string;
  /** Default: looked up for each repository. */
  readonly installationId?: number;
}

/**
 * What speckit does, and no more. Labels and assignees of a pull request need nothing of `issues`: GitHub
 * takes `pull_requests` for them.
 */
const PERMISSIONS = { contents: "write", metadata: "read", pull_requests: "write" } as const;

/** A token lives an hour; it is given out while it has half of it left, enough for the longest run. */
const LEAST_LEFT_MS = 30 * 60_000;

interface Minted {
  readonly token: string;
  readonly expiresAtMs: number;
}

/**
 * Credentials of a GitHub App: tokens of its installation, for git and the API alike, each for one
 * repository and {@link PERMISSIONS}. Kept in memory only.
 *
 * `find` gives undefined for other hosts; it throws `REPOSITORY_NOT_FOUND` where the App is not
 * installed, `TOKEN_SCOPE_MISSING` where the installation lacks a permission, `GIT_CREDENTIALS_REFUSED`
 * where GitHub does not know the App or its key.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID` when the key is none
 */
export function githubAppCredentials(
  options: GitHubAppOptions,
): GitCredentialSource & AsyncDisposable {
  const privateKey = checkedKey(options.privateKey);
  const connection = openConnection(options);
  const host = webHostOf(connection.apiUrl);
  const minted = new Map<string, Promise<Minted>>();

  async function mint(name: RepositoryName, signal: AbortSignal): Promise<Minted> {
    const about = { repository: `${name.owner}/${name.repo}`, host };
    const { token: jwt } = await createAppAuth({ appId: options.appId, privateKey })({
      type: "app",
    });
    const app = openClient(connection, options, jwt, about, signal);
    const installation =
      options.installationId ??
      (await app
        .ask((request) => request("GET /repos/{owner}/{repo}/installation", { ...name }))
        .then(({ id }) => id, notInstalled(about.repository)));
    const { token, expires_at } = await app
      .ask((request) =>
        request("POST /app/installations/{installation_id}/access_tokens", {
          installation_id: installation,
          repositories: [name.repo],
          permissions: PERMISSIONS,
        }),
      )
      .catch(notGranted(about.repository));
    return { token, expiresAtMs: Date.parse(expires_at) };
  }

  async function tokenFor(name: RepositoryName, signal: AbortSignal): Promise<string> {
    const key = `${name.owner}/${name.repo}`.toLowerCase();
    const kept = await minted.get(key)?.catch(() => undefined);
    if (kept !== undefined && kept.expiresAtMs - Date.now() > LEAST_LEFT_MS) {
      return kept.token;
    }
    const fresh = mint(name, signal);
    minted.set(key, fresh);
    try {
      return (await fresh).token;
    } catch (error) {
      if (minted.get(key) === fresh) {
        minted.delete(key);
      }
      throw error;
    }
  }

  return {
    async find({ gitRemote, host: asked }, signal): Promise<GitCredential | undefined> {
      const name = asked === host ? repositoryNameOf(gitRemote, host) : undefined;
      return name === undefined
        ? undefined
        : { host, username: "x-access-token", token: await tokenFor(name, signal) };
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** Environment files keep a key on one line, with `\n` for its line ends. */
function checkedKey(text: string): string {
  const key = text.replaceAll("\\n", "\n").trim();
  try {
    return createPrivateKey(key).export({ type: "pkcs8", format: "pem" }).toString();
  } catch (cause) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      "GITHUB_APP_PRIVATE_KEY: expected a private key in PEM",
      { cause },
    );
  }
}

function notInstalled(repository: string) {
  return (error: unknown): never => {
    if (error instanceof GitHubError && error.status === 404) {
      throw new GitHubError(
        "REPOSITORY_NOT_FOUND",
        `${repository}: there is no such repository, or the GitHub App is not installed on it`,
        { status: 404, remedy: "Install the App on the repository, or check the address." },
      );
    }
    throw error;
  };
}

function notGranted(repository: string) {
  return (error: unknown): never => {
    if (error instanceof GitHubError && error.status === 422) {
      const needed = Object.entries(PERMISSIONS).map(([name, access]) => `${name}: ${access}`);
      throw new GitHubError(
        "TOKEN_SCOPE_MISSING",
        `${repository}: the App's installation must have ${needed.join(", ")} for it: ${oneLine(error.words, 200)}`,
        { status: 422, words: error.words },
      );
    }
    throw error;
  };
}
