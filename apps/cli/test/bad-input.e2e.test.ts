import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { git } from "@speckit/testkit";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cli, cli } from "./cli.ts";
import { type StateFolder, stateFolder } from "./state-folder.ts";

let folder: StateFolder;
let remote: string;
let speckit: Cli;

beforeAll(async () => {
  folder = await stateFolder("cli-bad-input");
  remote = await makeSampleRemote(folder.path);
  speckit = cli(folder.path);
});

afterAll(() => folder[Symbol.asyncDispose]());

const SENTENCE = "Add a page";

interface Refusal {
  readonly failure: { readonly code: string; readonly message: string; readonly remedy: string };
}

async function refusalOf(
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<{ readonly exitCode: number | undefined; readonly failure: Refusal["failure"] }> {
  const done = await speckit.run(["run", ...args, "--agent", "scripted", "--json"], input);
  expect(done.stderr).not.toMatch(/^\s+at /m);
  const { failure } = JSON.parse(done.stdout) as Refusal;
  expect(failure.remedy).not.toBe("");
  return { exitCode: done.exitCode, failure };
}

describe("what cannot be taken is refused and makes no run", () => {
  test.each([
    ["REPOSITORY_INVALID", ["ext::sh -c touch% /tmp/x", SENTENCE]],
    ["REPOSITORY_INVALID", ["ext::sh", SENTENCE]],
    ["REPOSITORY_INVALID", ["http://example.com/a/b", SENTENCE]],
    ["REPOSITORY_INVALID", ["https://user:secret-word@example.com/a/b", SENTENCE]],
    ["REPOSITORY_INVALID", ["acme/../shop", SENTENCE]],
    ["REPOSITORY_INVALID", ["acme/shop\nevil", SENTENCE]],
    ["REPOSITORY_INVALID", ["git@host:-oProxyCommand=x", SENTENCE]],
    ["REQUEST_INVALID", ["acme/shop", ""]],
    ["REQUEST_INVALID", ["acme/shop", "  \n "]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--branch=-x"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--branch", "a..b"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--branch", "a b"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--branch", "x.lock"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--base-branch", "--upload-pack=touch"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--feature-directory", "../../etc"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--phases", "specify,implement"]],
    ["REQUEST_INVALID", ["acme/shop", SENTENCE, "--run-id", "42"]],
    ["REQUEST_INVALID", ["acme/shop"]],
    ["REQUEST_INVALID", ["acme/shop", "--file", "/nonexistent/sentence"]],
  ])("%s %j", async (code, args) => {
    const { exitCode, failure } = await refusalOf(args);
    expect(failure).toMatchObject({ code });
    expect(exitCode).toBe(2);
    expect(failure.message).not.toContain("secret-word");
  });

  test("an option in place of the repository is wrong use", async () => {
    for (const repository of ["--upload-pack=touch", "-x"]) {
      const done = await speckit.run(["run", repository, SENTENCE]);
      expect(done.exitCode).toBe(2);
      expect(done.stderr).toContain(`unknown option '${repository}'`);
      const behindDashes = await speckit.run(["run", "--json", "--", repository, SENTENCE]);
      expect(JSON.parse(behindDashes.stdout)).toMatchObject({
        failure: { code: "REPOSITORY_INVALID" },
      });
    }
  });

  test("a sentence of 1 MB, by stdin and by file", async () => {
    const long = "x".repeat(1_000_000);
    expect((await refusalOf([remote, "-"], long)).failure.code).toBe("REQUEST_TOO_LARGE");
    const path = join(folder.path, "long.txt");
    await writeFile(path, long);
    expect((await refusalOf([remote, "--file", path])).failure.code).toBe("REQUEST_TOO_LARGE");
  });

  test("a sentence that is not UTF-8", async () => {
    const { failure } = await refusalOf([remote, "-"], Uint8Array.of(0xff, 0xfe, 0x41));
    expect(failure.message).toContain("not UTF-8");
  });

  test("an agent that is not there, and a runtime that is not", async () => {
    const unknown = await speckit.run(["run", remote, SENTENCE, "--agent", "claude", "--json"]);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ failure: { code: "AGENT_UNKNOWN" } });
    const podman = await speckit.run(["run", remote, SENTENCE, "--runtime", "podman"]);
    expect(podman.exitCode).toBe(2);
    expect(podman.stderr).toContain("podman");
  });

  test("containers where no engine answers: said at once, with exit 75", async () => {
    const host = `unix://${join(folder.path, "no-engine.sock")}`;
    const without = cli(folder.path, { DOCKER_HOST: host });
    const done = await without.run(["run", remote, SENTENCE, "--runtime", "docker", "--json"]);
    expect(done.exitCode).toBe(75);
    expect(JSON.parse(done.stdout)).toMatchObject({
      failure: { code: "ENGINE_UNAVAILABLE", message: expect.stringContaining(host.slice(7)) },
    });
  });

  test.each([
    ["an unknown command", ["nonsense"]],
    ["an unknown option", ["run", "acme/shop", SENTENCE, "--nope"]],
    ["a missing argument", ["run"]],
    ["a number that is none", ["run", "acme/shop", SENTENCE, "--deadline-ms", "soon"]],
    ["a choice there is not", ["list", "--status", "lost"]],
    ["a run id that is none", ["status", "42"]],
    ["a sentence taken for options", ["run", "acme/shop", "--- title"]],
  ])("with --json, %s is one document too", async (_what, args) => {
    const done = await speckit.run([...args, "--json"]);
    expect(done.exitCode).toBe(2);
    expect(JSON.parse(done.stdout)).toMatchObject({
      status: "rejected",
      failure: {
        code: "REQUEST_INVALID",
        message: expect.not.stringMatching(/^error:/),
        remedy: expect.stringContaining("npx speckit help"),
      },
    });
  });

  test("nothing was stored", async () => {
    const list = await speckit.run(["list", "--json"]);
    expect(JSON.parse(list.stdout)).toEqual([]);
  });
});

describe("a repository that cannot be worked on ends the run as failed, with exit 1 and a remedy", () => {
  const failureOf = async (repository: string, ...args: readonly string[]) => {
    const { exitCode, failure } = await refusalOf([repository, SENTENCE, ...args]);
    expect(exitCode).toBe(1);
    return failure;
  };

  test("a base branch that does not exist", async () => {
    expect(await failureOf(remote, "--base-branch", "no-such")).toMatchObject({
      code: "BASE_BRANCH_NOT_FOUND",
      message: expect.stringContaining("no-such"),
    });
  });

  test("no repository, and a folder that is none", async () => {
    expect((await failureOf(join(folder.path, "nowhere"))).code).toBe("REPOSITORY_NOT_FOUND");
    const plain = join(folder.path, "plain");
    await mkdir(plain);
    expect((await failureOf(plain)).code).toBe("REPOSITORY_NOT_FOUND");
  });

  test("an empty repository", async () => {
    const empty = join(folder.path, "empty.git");
    await execa("git", ["init", "--bare", "--quiet", empty]);
    expect((await failureOf(empty)).code).toBe("REPOSITORY_EMPTY");
  });

  test("a repository without Spec Kit is told the command that adds it", async () => {
    const path = join(folder.path, "other");
    await execa("git", ["init", "--quiet", "--initial-branch=main", path]);
    const author = ["-c", "user.name=A", "-c", "user.email=a@localhost"];
    await git(path, ...author, "commit", "--quiet", "--allow-empty", "--message", "Start");
    const failure = await failureOf(path);
    expect(failure.code).toBe("NOT_A_SPEC_KIT_PROJECT");
    expect(failure.remedy).toContain("specify init");
  });

  test("a remote that refuses the push keeps bundle and patch", async () => {
    const refusing = join(folder.path, "refusing.git");
    await execa("git", ["clone", "--bare", "--quiet", remote, refusing]);
    await writeFile(
      join(refusing, "hooks", "pre-receive"),
      "#!/bin/sh\necho read-only >&2\nexit 1\n",
    );
    await chmod(join(refusing, "hooks", "pre-receive"), 0o755);
    const done = await speckit.run(["run", refusing, SENTENCE, "--agent", "scripted", "--json"]);
    const result = JSON.parse(done.stdout);
    expect(result).toMatchObject({
      status: "failed",
      pushed: false,
      failure: { code: "PUSH_REFUSED" },
    });
    const kept = await readdir(join(folder.path, "artifacts", result.runId));
    expect(kept).toEqual(expect.arrayContaining(["checkpoint.bundle", "run.patch"]));
  });
});

describe("bad configuration ends with exit 78 and names the variable", () => {
  test.each([
    [{ AMQP_URL: "amqp://localhost" }, "DATABASE_URL"],
    [{ DATABASE_URL: "postgres://localhost/x" }, "AMQP_URL"],
    [{ SPECKIT_LEASE_MS: "soon" }, "SPECKIT_LEASE_MS"],
    [{ SPECKIT_HOME: "relative/path" }, "SPECKIT_HOME"],
    [{ SPECKIT_AGENT_COMMAND: "my-agent" }, "SPECKIT_AGENT_COMMAND"],
    [{ SPECKIT_AGENT_COMMAND: '["acme"]', SPECKIT_AGENT_SECRETS: "ACME_API_KEY" }, "ACME_API_KEY"],
  ])("%j", async (env, name) => {
    const done = await cli(folder.path, env as Record<string, string>).run(["list"]);
    expect(done.exitCode).toBe(78);
    expect(done.stderr).toContain(`${name}`);
  });
});
