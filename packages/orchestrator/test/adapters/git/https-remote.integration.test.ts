import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { type GitServer, gitServer, type Intercept } from "@speckit/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { SpeckitError } from "../../../src/domain/speckit-error.ts";
import { recordedGit } from "./fixtures/recorded-git.ts";
import { remoteRepository, writeFiles } from "./fixtures/remote-repository.ts";
import {
  BRANCH,
  committed,
  FEATURE,
  machine,
  preparedRun,
  RUN_ID,
  rejection,
  SPECIFY,
  soon,
} from "./fixtures/run-fixture.ts";

const TOKEN = "ghs_s3cret/Token+1";
const LOGIN = `x-access-token:${TOKEN}`;
const BASIC = Buffer.from(LOGIN).toString("base64");

async function privateRemote(intercept?: Intercept) {
  const repository = remoteRepository();
  const server = await gitServer({
    folder: dirname(repository.path),
    login: LOGIN,
    ...(intercept === undefined ? {} : { intercept }),
  });
  return { repository, server, gitRemote: `${server.url}/remote.git` };
}

function worker(
  server: GitServer,
  token: string | undefined,
  more: Parameters<typeof machine>[0] = {},
) {
  return machine({
    allowFile: false,
    credentials:
      token === undefined ? [] : [{ host: server.host, username: "x-access-token", token }],
    ...more,
    environment: { ...(more.environment ?? process.env), GIT_SSL_CAINFO: server.caFile },
  });
}

const fetchBase = (git: ReturnType<typeof machine>["git"], gitRemote: string) =>
  git.fetchBase({ runId: RUN_ID, gitRemote, baseBranch: undefined, branch: BRANCH }, soon());

describe("an https remote behind a login", () => {
  test("a run goes from base to branch with the credential", async () => {
    const { repository, server, gitRemote } = await privateRemote();
    const { git } = worker(server, TOKEN);
    const run = await preparedRun(git, { gitRemote });
    expect(run.baseSha).toBe(repository.sha("main"));
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await git.push(after, null, soon());
    expect(repository.sha(BRANCH)).toBe(after.tipSha);
  });

  test("the credential is in no argument, file or log line, and in no command that stays here", async () => {
    const { server, gitRemote } = await privateRemote();
    const recorder = recordedGit();
    const { git, stateDir, logged } = worker(server, TOKEN, { environment: recorder.environment });
    const run = await preparedRun(git, { gitRemote });
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    await git.push(await committed(run, await git.harvest(run, SPECIFY, soon())), null, soon());

    const calls = recorder.calls();
    const withCredential = calls.filter(({ environment }) => environment.includes(BASIC));
    expect(withCredential.map(({ args }) => args.split(" ")[0])).toEqual([
      "ls-remote",
      "fetch",
      "ls-remote",
      "push",
    ]);
    for (const { args } of calls) {
      expect(args).not.toMatch(/s3cret|Basic/);
      expect(args).not.toContain(BASIC);
    }
    for (const name of readdirSync(stateDir, { recursive: true, encoding: "utf8" })) {
      const path = join(stateDir, name);
      if (statSync(path).isFile()) {
        const content = readFileSync(path);
        expect(content.includes(TOKEN) || content.includes(BASIC), name).toBe(false);
      }
    }
    expect(JSON.stringify(logged)).not.toContain("s3cret");
  });

  test.each([
    ["none configured", undefined, "GIT_CREDENTIALS_MISSING"],
    ["one the server does not take", "wrong-token", "GIT_CREDENTIALS_REFUSED"],
  ])("with %s, told by a code of its own", async (_what, token, code) => {
    const { server, gitRemote } = await privateRemote();
    const { git, logged } = worker(server, token);
    const error = await rejection(fetchBase(git, gitRemote));
    expect(error.code).toBe(code);
    expect(error.message).toContain(gitRemote);
    expect(error.message).not.toMatch(/\n|wrong-token/);
    expect(JSON.stringify(logged)).not.toContain("wrong-token");
  });

  test("a credential for another host stays at home", async () => {
    const { server, gitRemote } = await privateRemote();
    const { git } = worker(server, undefined, {
      credentials: [{ host: "127.0.0.1", username: "x", token: TOKEN }],
    });
    expect((await rejection(fetchBase(git, gitRemote))).code).toBe("GIT_CREDENTIALS_MISSING");
    expect(server.requests.map(({ authorization }) => authorization).filter(Boolean)).toEqual([]);
  });

  test("each command has the token of its own moment, and a push says that it is one", async () => {
    const { repository, server, gitRemote } = await privateRemote();
    const asked: string[] = [];
    const { git } = machine({
      allowFile: false,
      credentials: {
        async find({ host, purpose }) {
          asked.push(purpose);
          // The first is refused, as one that has run out between two commands.
          const token = asked.length === 1 ? "expired-token" : TOKEN;
          return { host, username: "x-access-token", token };
        },
      },
      environment: { ...process.env, GIT_SSL_CAINFO: server.caFile },
    });
    expect((await rejection(fetchBase(git, gitRemote))).code).toBe("GIT_CREDENTIALS_REFUSED");
    const run = await preparedRun(git, { gitRemote });
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await git.push(after, null, soon());
    expect(repository.sha(BRANCH)).toBe(after.tipSha);
    expect(asked).toEqual(["read", "read", "read", "read", "push"]);
  });

  test("a credential that cannot be made is the failure, with the source's own code", async () => {
    const { server, gitRemote } = await privateRemote();
    const { git } = machine({
      credentials: {
        async find() {
          throw new SpeckitError("GIT_UNREACHABLE", "no token: the host's API does not answer");
        },
      },
    });
    const error = await rejection(fetchBase(git, gitRemote));
    expect(error).toMatchObject({ code: "GIT_UNREACHABLE" });
    expect(error.message).toBe("no token: the host's API does not answer");
    expect(server.requests).toEqual([]);
  });

  test("a repository that is not there is named so", async () => {
    const { server } = await privateRemote();
    const { git } = worker(server, TOKEN);
    expect((await rejection(fetchBase(git, `${server.url}/none.git`))).code).toBe(
      "REPOSITORY_NOT_FOUND",
    );
  });

  test("a certificate nobody vouches for is unreachable, with what to set", async () => {
    const { server, gitRemote } = await privateRemote();
    const { git } = machine({
      credentials: [{ host: server.host, username: "x-access-token", token: TOKEN }],
    });
    const error = await rejection(fetchBase(git, gitRemote));
    expect(error.code).toBe("GIT_UNREACHABLE");
    expect(error).toMatchObject({ failure: { remedy: expect.stringContaining("GIT_SSL_CAINFO") } });
    expect(server.requests).toEqual([]);
  });

  test.each([
    [403, "GIT_CREDENTIALS_REFUSED"],
    [404, "REPOSITORY_NOT_FOUND"],
    [429, "GIT_UNREACHABLE"],
    [500, "GIT_UNREACHABLE"],
    [503, "GIT_UNREACHABLE"],
  ])("a server that answers %i gives %s", async (status, code) => {
    const { server, gitRemote } = await privateRemote((_request, response) => {
      response.writeHead(status).end("<html>no</html>");
      return true;
    });
    expect((await rejection(fetchBase(worker(server, TOKEN).git, gitRemote))).code).toBe(code);
  });

  test("a page that is no git server gives REPOSITORY_NOT_FOUND", async () => {
    const { server, gitRemote } = await privateRemote((_request, response) => {
      response
        .writeHead(200, { "content-type": "text/html" })
        .end("<html>\n<body>Sign in</body>\n</html>\n");
      return true;
    });
    expect((await rejection(fetchBase(worker(server, TOKEN).git, gitRemote))).code).toBe(
      "REPOSITORY_NOT_FOUND",
    );
  });

  test("a push the server forbids is told apart by what it says, without the token", async () => {
    let says = "";
    const { server, gitRemote } = await privateRemote((request, response) => {
      const pushes = request.url?.includes("receive-pack") ?? false;
      if (pushes) {
        response.writeHead(403, { "content-type": "text/plain" }).end(says);
      }
      return pushes;
    });
    const { git } = worker(server, TOKEN);
    const run = await preparedRun(git, { gitRemote });
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    for (const [words, code] of [
      ["", "PUSH_REFUSED"],
      [`Not with ${TOKEN}.`, "PUSH_REFUSED"],
      ["This repository was archived so it is read-only.", "REPOSITORY_ARCHIVED"],
      ["Write access to repository not granted.", "TOKEN_SCOPE_MISSING"],
    ] as const) {
      says = words;
      const error = await rejection(git.push(after, null, soon()));
      expect(error.code, words).toBe(code);
      expect(error.message).toContain(words.replace(TOKEN, "[redacted]"));
      expect(error.message).not.toContain("s3cret");
    }
  });
});

describe("redirects", () => {
  const moved =
    (to: (path: string) => string): Intercept =>
    (request, response) => {
      const isOld = request.url?.startsWith("/old") ?? false;
      if (isOld) {
        response
          .writeHead(301, {
            location: to((request.url ?? "").replace(/^\/old(?:\.git)?/, "/remote.git")),
          })
          .end();
      }
      return isOld;
    };

  test("one on the same host is followed, for pushes too, and keeps the run's own address", async () => {
    const { repository, server } = await privateRemote(moved((path) => path));
    const { git } = worker(server, TOKEN);
    const run = await preparedRun(git, { gitRemote: `${server.url}/old` });
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await git.push(after, null, soon());
    expect(repository.sha(BRANCH)).toBe(after.tipSha);
  });

  test("one to another host is not followed: it gets neither credential nor question", async () => {
    const other = await privateRemote();
    const { server } = await privateRemote(moved((path) => `${other.server.url}${path}`));
    const { git } = worker(server, TOKEN, {
      credentials: [
        { host: server.host, username: "x-access-token", token: TOKEN },
        { host: other.server.host, username: "x-access-token", token: TOKEN },
      ],
    });
    const error = await rejection(fetchBase(git, `${server.url}/old`));
    expect(error.code).toBe("REPOSITORY_MOVED");
    expect(error.message).toContain(`moved to another host, https://${other.server.host}`);
    expect(other.server.requests).toEqual([]);
  });

  test.each([
    ["one without an end ends", undefined, "REPOSITORY_MOVED"],
    ["one to a page for people is no repository", "/login", "REPOSITORY_NOT_FOUND"],
  ])("%s", async (_what, location, code) => {
    const { server } = await privateRemote((request, response) => {
      response.writeHead(302, { location: location ?? request.url ?? "/" }).end();
      return true;
    });
    const { git } = worker(server, TOKEN);
    expect((await rejection(fetchBase(git, `${server.url}/x`))).code).toBe(code);
  });

  test("a server that redirects at the push alone does not get the credential elsewhere", async () => {
    const other = await privateRemote();
    const { server, gitRemote } = await privateRemote((request, response) => {
      const pushes = request.url?.includes("receive-pack") ?? false;
      if (pushes) {
        response.writeHead(307, { location: `${other.server.url}${request.url}` }).end();
      }
      return pushes;
    });
    const { git } = worker(server, TOKEN);
    const run = await preparedRun(git, { gitRemote });
    const { workspace } = await git.createAttempt(run, SPECIFY, soon());
    writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
    const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
    await rejection(git.push(after, null, soon()));
    expect(other.server.requests).toEqual([]);
  });
});

describe("a remote that does not answer", () => {
  async function silentServer() {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test.each(["https", "ssh"])("a silent %s host ends at the deadline", async (scheme) => {
    const host = await silentServer();
    const { git } = machine({ deadlines: { askMs: 700 } });
    const error = await rejection(fetchBase(git, `${scheme}://${host}/owner/name.git`));
    expect(error.code).toBe("GIT_UNREACHABLE");
    expect(error.message).toContain("not done within 700 ms");
  });

  test("an abort ends the command and everything it started, with the abort's own reason", async () => {
    const host = await silentServer();
    const controller = new AbortController();
    const { git } = machine();
    const asked = git.fetchBase(
      { runId: RUN_ID, gitRemote: `https://${host}/x.git`, baseBranch: undefined, branch: BRANCH },
      controller.signal,
    );
    const failed = rejection(asked);
    await until(() => commandLines(host).length >= 2);
    controller.abort(new Error("drained"));
    expect((await failed).message).toBe("drained");
    await until(() => commandLines(host).length === 0);
  });

  test("nobody listening, and a name that does not exist", async () => {
    const { git } = machine();
    for (const remote of [
      "https://127.0.0.1:1/x.git",
      "ssh://git@127.0.0.1:1/x.git",
      "https://none.invalid/x.git",
    ]) {
      expect((await rejection(fetchBase(git, remote))).code).toBe("GIT_UNREACHABLE");
    }
  });
});

/** Command lines of live processes that name a host. */
function commandLines(host: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return line.startsWith("git") || line.includes("/git-") || line.includes("git-remote")
          ? [line]
          : [];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(host));
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 10_000, interval: 20 }).toBe(true);
}
