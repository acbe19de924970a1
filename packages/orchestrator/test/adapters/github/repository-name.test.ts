import { expect, test } from "vitest";
import { repositoryNameOf } from "../../../src/adapters/github/repository-name.ts";
import { webHostOf } from "../../../src/domain/git-hub-host.ts";

test.each([
  ["https://api.github.com", "github.com"],
  ["https://api.acme.ghe.com", "acme.ghe.com"],
  ["https://ghe.example.org/api/v3", "ghe.example.org"],
  ["https://ghe.example.org:8443/api/v3", "ghe.example.org:8443"],
  ["https://api.github.com.example.org", "api.github.com.example.org"],
])("the API %s is of the host %s", (apiUrl, host) => {
  expect(webHostOf(apiUrl)).toBe(host);
});

test.each([
  "https://github.com/acme/app.git",
  "https://github.com:443/acme/app",
  "ssh://git@github.com/acme/app.git",
  "ssh://git@ssh.github.com:443/acme/app.git",
  "git@github.com:acme/app.git",
])("%s is acme/app", (gitRemote) => {
  expect(repositoryNameOf(gitRemote, "github.com")).toEqual({ owner: "acme", repo: "app" });
});

test.each([
  "https://github.com.example.org/acme/app.git",
  "https://example.org/github.com/acme/app.git",
  "https://github.com:8443/acme/app.git",
  "https://github.com/acme/group/app.git",
  "https://github.com/acme",
  "git@example.org:acme/app.git",
  "file:///github.com/acme/app",
])("%s is none of github.com's", (gitRemote) => {
  expect(repositoryNameOf(gitRemote, "github.com")).toBeUndefined();
});
