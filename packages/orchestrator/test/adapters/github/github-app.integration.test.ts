import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startMockGitHub } from "@speckit/mock-github";
import { git, tempFolder } from "@speckit/testkit";
import { execa } from "execa";
import { expect, test } from "vitest";
import { githubAppCredentials, githubPullRequestHost } from "../../../src/adapters/github/index.ts";
import { RUN } from "./github-bench.ts";
import { silentLogger } from "./silent-logger.ts";

const { signal } = new AbortController();
const MINT = "POST /app/installations/{installation_id}/access_tokens";
const GRANTED = { contents: "write", pull_requests: "write", metadata: "read" } as const;

/** Over TLS, by the variables that git reads; against the description of an Enterprise Server. */
test("an App's tokens push by git and make the pull request, each for one repository", async () => {
  await using folder = await tempFolder("github-app");
  await using github = await startMockGitHub({ folder: folder.path, description: "ghes-3.19" });
  const repositories = ["acme/app", "acme/other"];
  repositories.map((name) => github.repository(name));
  const privateKey = github.registerApp("77", { id: 5, repositories, permissions: GRANTED });
  const caFile = join(folder.path, "ca.pem");
  writeFileSync(caFile, github.certificate ?? "");
  const reach = {
    apiUrl: github.apiUrl,
    environment: { SSL_CERT_FILE: caFile },
    logger: silentLogger,
    secondMs: 0,
  };
  await using credentials = githubAppCredentials({
    ...reach,
    appId: "77",
    // As an environment file has it.
    privateKey: privateKey.replaceAll("\n", "\\n"),
  });
  await using host = githubPullRequestHost({ ...reach, credentials });
  const gitRemote = `${github.url}/acme/app.git`;
  const minted = () => github.calls.filter(({ route }) => route === MINT).length;
  const at = { gitRemote, host: github.host, purpose: "push" } as const;

  const credential = await credentials.find(at, signal);
  expect(credential).toEqual({
    host: github.host,
    username: "x-access-token",
    token: expect.stringMatching(/^ghs_/),
  });
  expect(github.calls.at(-1)).toMatchObject({
    route: MINT,
    body: { repositories: ["app"], permissions: GRANTED },
  });

  const clone = join(folder.path, "clone");
  const basic = Buffer.from(`x-access-token:${credential?.token}`).toString("base64");
  const env = {
    GIT_SSL_CAINFO: caFile,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
  await execa("git", ["clone", "--quiet", gitRemote, clone], { env });
  await git(clone, "checkout", "--quiet", "-b", "one");
  await git(
    clone,
    ...["-c", "user.name=a", "-c", "user.email=a@example.org"],
    ...["commit", "--quiet", "--allow-empty", "-m", "One"],
  );
  await execa("git", ["-C", clone, "push", "--quiet", "origin", "one"], { env });

  const made = await host.ensure(
    {
      ...{ runId: RUN, gitRemote, head: "one", base: "main", title: "T", body: "B", draft: true },
      ...{ labels: ["speckit"], reviewers: [], assignees: [] },
    },
    signal,
  );
  expect(made).toMatchObject({ how: "created", url: `${github.url}/acme/app/pull/1`, notes: [] });
  expect(minted()).toBe(1);

  const elsewhere = { ...at, gitRemote: `${github.url}/acme/other.git` };
  const other = await credentials.find(elsewhere, signal);
  expect(other?.token).toMatch(/^ghs_/);
  expect(other?.token).not.toBe(credential?.token);
  expect(minted()).toBe(2);
  const foreign = execa("git", ["ls-remote", gitRemote], {
    env: {
      ...env,
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x:${other?.token}`).toString("base64")}`,
    },
  });
  await expect(foreign).rejects.toThrow("not found");

  expect(await credentials.find({ ...at, host: "git.example.org" }, signal)).toBeUndefined();
  const missing = { ...at, gitRemote: `${github.url}/acme/unknown.git` };
  await expect(credentials.find(missing, signal)).rejects.toMatchObject({
    code: "REPOSITORY_NOT_FOUND",
    message: expect.stringContaining("App is not installed"),
  });
});

test("an App without a permission, with another's key, or with none at all, is told so", async () => {
  await using folder = await tempFolder("github-app");
  await using github = await startMockGitHub({ folder: folder.path, tls: false });
  const repositories = ["acme/app"];
  github.repository("acme/app");
  const permissions = { contents: "read", metadata: "read" } as const;
  const weak = github.registerApp("78", { id: 6, repositories, permissions });
  const other = github.registerApp("79", { id: 7, repositories, permissions: GRANTED });
  const reach = { apiUrl: github.apiUrl, environment: {}, logger: silentLogger, secondMs: 0 };
  const at = {
    gitRemote: `https://${github.host}/acme/app.git`,
    host: github.host,
    purpose: "push",
  } as const;

  await using lacking = githubAppCredentials({ ...reach, appId: "78", privateKey: weak });
  await expect(lacking.find(at, signal)).rejects.toMatchObject({
    code: "TOKEN_SCOPE_MISSING",
    message: expect.stringContaining("pull_requests: write"),
  });
  await using mistaken = githubAppCredentials({ ...reach, appId: "78", privateKey: other });
  const error = await mistaken.find(at, signal).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "GIT_CREDENTIALS_REFUSED" });
  expect(JSON.stringify([error, (error as Error).stack])).not.toContain("PRIVATE KEY");
  expect(() => githubAppCredentials({ ...reach, appId: "78", privateKey: "none" })).toThrow(
    "GITHUB_APP_PRIVATE_KEY: expected a private key in PEM",
  );
});
