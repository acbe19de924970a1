import { expect, test } from "vitest";
import { checkedRemote } from "../../../src/adapters/git/checked-remote.ts";
import { gitEnvironment } from "../../../src/adapters/git/git-environment.ts";

const CREDENTIAL = { host: "Git.Example.test:443", username: "x-access-token", token: "s3cret" };

test("only named variables of the machine reach git", () => {
  const environment = gitEnvironment({
    PATH: "/bin",
    HOME: "/home/worker",
    GIT_DIR: "/elsewhere",
    GIT_CONFIG_GLOBAL: "/home/worker/.gitconfig",
    GIT_SSH_COMMAND: "evil",
    GIT_EXTERNAL_DIFF: "evil",
    LD_PRELOAD: "/evil.so",
    OPENAI_API_KEY: "sk-1",
    https_proxy: "http://proxy:3128",
    SSH_AUTH_SOCK: "/run/agent",
    SSL_CERT_FILE: "/ca.pem",
  });
  expect(environment).toMatchObject({
    PATH: "/bin",
    HOME: "/nonexistent",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "",
    LC_ALL: "C",
    GIT_LFS_SKIP_SMUDGE: "1",
    https_proxy: "http://proxy:3128",
    SSH_AUTH_SOCK: "/run/agent",
    GIT_SSL_CAINFO: "/ca.pem",
  });
  expect(environment).not.toHaveProperty("LD_PRELOAD");
  expect(environment).not.toHaveProperty("GIT_EXTERNAL_DIFF");
  expect(JSON.stringify(environment)).not.toMatch(/evil|sk-1|elsewhere/);
});

test("ssh asks nothing and gives up on a silent host", () => {
  const environment = gitEnvironment({}, { remote: checkedRemote("git@host:a/b", false) });
  expect(environment.GIT_SSH_COMMAND).toMatch(
    /BatchMode=yes.*ConnectTimeout=\d+.*ServerAliveInterval=\d+/,
  );
  expect(environment.GIT_ALLOW_PROTOCOL).toBe("ssh");
});

test("a credential travels as configuration for its own host", () => {
  const https = checkedRemote("https://git.example.test/a/b", false);
  const environment = gitEnvironment({}, { remote: https, credential: CREDENTIAL });
  const last = Number(environment.GIT_CONFIG_COUNT) - 1;
  expect(environment[`GIT_CONFIG_KEY_${last}`]).toBe("http.https://git.example.test/.extraHeader");
  expect(environment[`GIT_CONFIG_VALUE_${last}`]).toBe(
    `Authorization: Basic ${Buffer.from("x-access-token:s3cret").toString("base64")}`,
  );
  expect(environment.GIT_ALLOW_PROTOCOL).toBe("https");
});
