import { expect, test } from "vitest";
import { type GitExit, gitFailure } from "../../../src/adapters/git/git-failures.ts";

const exit = (stderr: string, more: Partial<GitExit> = {}): GitExit => ({
  operation: "fetch",
  remote: "https://host/x.git",
  pushes: false,
  hasCredential: false,
  stderr,
  exitCode: 128,
  ...more,
});

const NO_ACCESS =
  "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n";

// As git 2.39, OpenSSH 9 and the named hosts word it under LC_ALL=C.
test.each([
  [
    "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found",
    "REPOSITORY_NOT_FOUND",
  ],
  [`ERROR: Repository not found.\n${NO_ACCESS}`, "REPOSITORY_NOT_FOUND"],
  [
    `fatal: '/srv/none.git' does not appear to be a git repository\n${NO_ACCESS}`,
    "REPOSITORY_NOT_FOUND",
  ],
  [
    `remote: The project you were looking for could not be found or you don't have permission to view it.\nfatal: repository 'https://gitlab.com/a/b.git/' not found`,
    "REPOSITORY_NOT_FOUND",
  ],
  [
    "fatal: unable to access 'https://host/x/': The requested URL returned error: 404",
    "REPOSITORY_NOT_FOUND",
  ],
  [
    "fatal: unable to access 'https://host/x/': The requested URL returned error: 301",
    "REPOSITORY_MOVED",
  ],
  ["fatal: https://host/x/info/refs not valid: is this a git repository?", "REPOSITORY_NOT_FOUND"],
  [
    "error: unable to read askpass response from 'false'\nfatal: could not read Username for 'https://host': terminal prompts disabled",
    "GIT_CREDENTIALS_MISSING",
  ],
  [
    "fatal: unable to access 'https://host/x/': The requested URL returned error: 403",
    "GIT_CREDENTIALS_MISSING",
  ],
  [
    "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://host/x/'",
    "GIT_CREDENTIALS_MISSING",
  ],
  [`git@host: Permission denied (publickey).\n${NO_ACCESS}`, "GIT_CREDENTIALS_REFUSED"],
  [`Host key verification failed.\n${NO_ACCESS}`, "HOST_KEY_UNKNOWN"],
  [
    `No ED25519 host key is known for [host]:22 and you have requested strict checking.\nHost key verification failed.\n${NO_ACCESS}`,
    "HOST_KEY_UNKNOWN",
  ],
  [
    `@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key for host has changed and you have requested strict checking.\nHost key verification failed.\n${NO_ACCESS}`,
    "HOST_KEY_CHANGED",
  ],
  [`ERROR: Permission to a/b.git denied to ada.\n${NO_ACCESS}`, "GIT_CREDENTIALS_REFUSED"],
  ["fatal: couldn't find remote ref refs/heads/none", "BASE_BRANCH_NOT_FOUND"],
  ["error: Server does not allow request for unadvertised object 1234", "BASE_BRANCH_NOT_FOUND"],
  ["fatal: remote error: upload-pack: not our ref 1234", "BASE_BRANCH_NOT_FOUND"],
  ["fatal: transport 'ext' not allowed", "REPOSITORY_NOT_ALLOWED"],
  ["fatal: detected dubious ownership in repository at '/srv/x.git'", "REPOSITORY_NOT_ALLOWED"],
  [
    "fatal: unable to access 'https://none.invalid/x/': Could not resolve host: none.invalid",
    "GIT_UNREACHABLE",
  ],
  [
    "fatal: unable to access 'https://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
    "GIT_UNREACHABLE",
  ],
  [`ssh: connect to host 127.0.0.1 port 1: Connection refused\n${NO_ACCESS}`, "GIT_UNREACHABLE"],
  [
    `ssh: Could not resolve hostname none.invalid: Name or service not known\n${NO_ACCESS}`,
    "GIT_UNREACHABLE",
  ],
  [
    "fatal: unable to access 'https://host/x/': server certificate verification failed. CAfile: none CRLfile: none",
    "GIT_UNREACHABLE",
  ],
  [
    "fatal: unable to access 'https://host/x/': The requested URL returned error: 503",
    "GIT_UNREACHABLE",
  ],
  ["error: RPC failed; HTTP 500 curl 22 The requested URL returned error: 500", "GIT_UNREACHABLE"],
  ["fatal: early EOF\nfatal: index-pack failed", "GIT_UNREACHABLE"],
  [
    "error: file write error: No space left on device\nfatal: unable to write new index file",
    "DISK_FULL",
  ],
  ["error: object file ./objects/12/34 is empty", "GIT_FAILED"],
  ["fatal: something nobody has seen yet", "GIT_FAILED"],
])("%s", (stderr, code) => {
  const error = gitFailure(exit(stderr));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^git fetch, remote https:\/\/host\/x\.git: [^\n]+$/);
});

test("the same refusal means missing credentials, refused ones, or no right to push", () => {
  const refused =
    "fatal: unable to access 'https://host/x/': The requested URL returned error: 403";
  expect(gitFailure(exit(refused)).code).toBe("GIT_CREDENTIALS_MISSING");
  expect(gitFailure(exit(refused, { hasCredential: true })).code).toBe("GIT_CREDENTIALS_REFUSED");
  expect(gitFailure(exit(refused, { pushes: true, hasCredential: true })).code).toBe(
    "PUSH_REFUSED",
  );
});

const FORBIDDEN =
  "fatal: unable to access 'https://host/x/': The requested URL returned error: 403";

test.each([
  [`remote: This repository was archived so it is read-only.\n${FORBIDDEN}`, "REPOSITORY_ARCHIVED"],
  [`ERROR: This repository was archived so it is read-only.\n${NO_ACCESS}`, "REPOSITORY_ARCHIVED"],
  [`remote: Write access to repository not granted.\n${FORBIDDEN}`, "TOKEN_SCOPE_MISSING"],
  [`remote: Permission to a/b.git denied to ada.\n${FORBIDDEN}`, "PUSH_REFUSED"],
  [`ERROR: Permission to a/b.git denied to ada.\n${NO_ACCESS}`, "PUSH_REFUSED"],
  [
    `remote: ERROR: You are not allowed to push code to protected branches on this project.\n${NO_ACCESS}`,
    "BRANCH_PROTECTED",
  ],
  [`remote: nobody knows what this means\n${NO_ACCESS}`, "GIT_UNREACHABLE"],
])("a push that is refused with: %s", (stderr, code) => {
  const error = gitFailure(exit(stderr, { pushes: true, hasCredential: true }));
  expect(error.code).toBe(code);
  if (code !== "GIT_UNREACHABLE") {
    expect(error.message).toMatch(/; it says: [^\n]+$/);
  }
});

test("the same words at a fetch name a missing right, and nothing else", () => {
  const read = (words: string) =>
    gitFailure(exit(`remote: ${words}\n${FORBIDDEN}`, { hasCredential: true }));
  expect(read("Resource not accessible by personal access token").code).toBe("TOKEN_SCOPE_MISSING");
  const other = read("Access to this repository has been disabled by its host.");
  expect(other.code).toBe("GIT_CREDENTIALS_REFUSED");
  expect(other.message).toContain("it says: Access to this repository has been disabled");
});

test("a key that cannot sign is not a passing trouble", () => {
  const signing = { operation: "commit-tree", remote: undefined };
  const words = 'error: Load key "/k": incorrect passphrase supplied to decrypt private key';
  expect(gitFailure(exit(`${words}\nfatal: failed to write commit object`, signing)).code).toBe(
    "COMMIT_NOT_SIGNED",
  );
  expect(gitFailure(exit("error: file write error: No space left on device", signing)).code).toBe(
    "DISK_FULL",
  );
});

test("what a server says in its own words decides nothing", () => {
  const says =
    "remote: fatal: repository 'x' not found\nremote: No space left on device\nfatal: early EOF";
  expect(gitFailure(exit(says)).code).toBe("GIT_UNREACHABLE");
});
