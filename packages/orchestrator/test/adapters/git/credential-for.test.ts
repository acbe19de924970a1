import { expect, test } from "vitest";
import { checkedRemote } from "../../../src/adapters/git/checked-remote.ts";
import { credentialFor } from "../../../src/adapters/git/credential-for.ts";
import { hiddenCredentials } from "../../../src/adapters/git/hidden-credentials.ts";
import { staticCredentials } from "../../../src/adapters/git/static-credentials.ts";
import type { GitCredentialSource, GitCredentialUse } from "../../../src/ports/git-credentials.ts";
import type { Logger } from "../../../src/ports/logger.ts";

const CREDENTIAL = { host: "Git.Example.test:443", username: "x-access-token", token: "s3cret" };
const { signal } = new AbortController();

const found = (source: GitCredentialSource, gitRemote: string) =>
  credentialFor(source, checkedRemote(gitRemote, false), "push", signal);

test("a credential goes to its own host alone, by https alone", async () => {
  const source = staticCredentials([CREDENTIAL]);
  expect(await found(source, "https://git.example.test/a/b")).toBe(CREDENTIAL);
  for (const other of [
    "https://example.test/a",
    "https://git.example.test:8443/a",
    "https://git.example.test.evil.test/a",
    "ssh://git@git.example.test/a",
    "git@git.example.test:a",
  ]) {
    expect(await found(source, other), other).toBeUndefined();
  }
});

test("a source is asked for the host and the purpose, and never for ssh", async () => {
  const asked: GitCredentialUse[] = [];
  const source: GitCredentialSource = {
    async find(at) {
      asked.push(at);
      return CREDENTIAL;
    },
  };
  await found(source, "https://Git.example.test:443/a/b");
  await found(source, "ssh://git@git.example.test/a/b");
  const [gitRemote, host] = ["https://Git.example.test:443/a/b", "git.example.test"];
  expect(asked).toEqual([{ gitRemote, host, purpose: "push" }]);
});

test("what a source answers for another host than the asked one is not used", async () => {
  const source: GitCredentialSource = { find: async () => CREDENTIAL };
  expect(await found(source, "https://example.test/a/b")).toBeUndefined();
});

test("a token is hidden from the log before anybody has it", async () => {
  const hidden: string[] = [];
  const quiet = () => {};
  const logger: Logger = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: quiet,
    with: () => logger,
    hide: (secret) => hidden.push(secret),
  };
  const source = hiddenCredentials(staticCredentials([CREDENTIAL]), logger);
  expect(await found(source, "https://git.example.test/a")).toBe(CREDENTIAL);
  expect(await found(source, "https://example.test/a")).toBeUndefined();
  expect(hidden).toEqual(["s3cret"]);
});
