import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { secretlintScanner } from "../../../src/adapters/secretlint/index.ts";

const scanner = secretlintScanner();

/** Text that no rule can tell from a real one, and that stands in no source as it is. */
const random = (length: number, letters: string) =>
  Array.from({ length }, (_, ix) => letters[(ix * 7 + 3) % letters.length]).join("");
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER = "QWERTYUIOPASDFGHJKLZXCVBNM234567";
const pem = (pair: { readonly privateKey: KeyObject }) =>
  `${pair.privateKey.export({ type: "pkcs8", format: "pem" })}`;
const ED25519 = pem(generateKeyPairSync("ed25519"));
const RSA = pem(generateKeyPairSync("rsa", { modulusLength: 1_024 }));

test.for([
  ["the id of an AWS key", `AKIA${random(16, UPPER)}`, "aws/AWSAccessKeyID"],
  [
    "an AWS secret key",
    `aws_secret_access_key = ${random(40, ALPHANUMERIC)}`,
    "aws/AWSSecretAccessKey",
  ],
  ["a GitHub token", `ghp_${random(36, ALPHANUMERIC)}`, "github/GITHUB_TOKEN"],
  ["a GitHub app's token", `ghs_${random(36, ALPHANUMERIC)}`, "github/GITHUB_TOKEN"],
  [
    "a fine-grained GitHub token",
    `github_pat_${random(22, ALPHANUMERIC)}_${random(59, ALPHANUMERIC)}`,
    "github/GITHUB_TOKEN",
  ],
  ["a GitLab token", `glpat-${random(20, ALPHANUMERIC)}`, "gitlab/GITLAB_PERSONAL_ACCESS_TOKEN"],
  ["a private key", RSA, "privatekey/PrivateKey"],
  ["a short private key", ED25519, "speckit/PrivateKey"],
  ["a key of a Google API", `AIza${random(35, ALPHANUMERIC)}`, "speckit/GoogleApiKey"],
  [
    "a service account of GCP",
    JSON.stringify({ type: "service_account", private_key: RSA }),
    "privatekey/PrivateKey",
  ],
  [
    "a Slack token",
    `xoxb-${random(12, "0123456789")}-${random(12, "0123456789")}-${random(24, ALPHANUMERIC)}`,
    "slack/SLACK_TOKEN",
  ],
  [
    "an npm token",
    `//registry.example.org/:_authToken=npm_${random(36, ALPHANUMERIC)}`,
    "npm/NPM_ACCESS_TOKEN",
  ],
  [
    "a password of a database",
    `postgres://app:${random(12, ALPHANUMERIC)}@db.corp.net/app`,
    "database-connection-string/PostgreSQLConnection",
  ],
] as const)("%s is found, with its line and rule", async ([, text, rule]) => {
  const found = await scanner.scan("specs/001-a/spec.md", `# Title\n\n${text}\n`);
  expect(found).toEqual([{ rule, line: 3, secret: expect.any(String) }]);
  expect(text).toContain(found[0]?.secret);
});

test("no comment turns the search off", async () => {
  const token = `ghp_${random(36, ALPHANUMERIC)}`;
  for (const comment of [
    "// secretlint-disable",
    "<!-- secretlint-disable-next-line -->",
    "# secretlint-disable-line",
  ]) {
    expect(await scanner.scan("a.md", `${comment}\n${token} ${comment}\n`)).toHaveLength(1);
  }
});

test("what documents write as an example is none", async () => {
  const text = [
    "AKIAIOSFODNN7EXAMPLE AKIAXXXXXXXXXXXXXXXX",
    "postgres://app:devpass1@localhost:5432/app mysql://root:hunter22@db/app",
    "mongodb://app:devpass1@mongo:27017/app https://someone:hunter22@api.example.org/x",
    "Account 123456789012, account_id: 123456789012",
    "ghp_xxx, npm_token, -----BEGIN PUBLIC KEY-----",
  ].join("\n");
  expect(await scanner.scan("quickstart.md", text)).toEqual([]);
});
