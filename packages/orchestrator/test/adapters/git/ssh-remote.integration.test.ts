import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sshKeyPair, sshServer } from "@speckit/testkit";
import { expect, test } from "vitest";
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
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

/** A server that lets in the key of a file, and that file and its known hosts on an odd path. */
async function deployment() {
  const folder = join(temporaryFolder(), "it's a %h");
  mkdirSync(folder);
  const keyFile = join(folder, "deploy key");
  const knownHostsFile = join(folder, "known hosts");
  const server = await sshServer({ publicKey: sshKeyPair(keyFile) });
  writeFileSync(knownHostsFile, `${server.knownHost}\n`);
  const repository = remoteRepository();
  return {
    server,
    repository,
    gitRemote: `${server.url}${repository.path}`,
    keyFile,
    knownHostsFile,
    folder,
  };
}

test("a run goes from base to branch with a deploy key and pinned host keys", async () => {
  const { repository, gitRemote, keyFile, knownHostsFile } = await deployment();
  const { git } = machine({ allowFile: false, ssh: { keyFile, knownHostsFile } });
  const run = await preparedRun(git, { gitRemote });
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
  const after = await committed(run, await git.harvest(run, SPECIFY, soon()));
  await git.push(after, null, soon());
  expect(repository.sha(BRANCH)).toBe(after.tipSha);
});

test("what is wrong with key, host key or file is told apart, and nothing of it is tried again", async () => {
  const { server, gitRemote, keyFile, knownHostsFile, folder } = await deployment();
  const failureWith = async (ssh: { keyFile: string; knownHostsFile: string }) =>
    await rejection(
      machine({ ssh }).git.fetchBase(
        { runId: RUN_ID, gitRemote, baseBranch: undefined, branch: BRANCH },
        soon(),
      ),
    );
  const hosts = (name: string, line: string) => {
    writeFileSync(join(folder, name), line);
    return join(folder, name);
  };
  const unknown = await failureWith({ keyFile, knownHostsFile: hosts("none", "") });
  expect(unknown).toMatchObject({ code: "HOST_KEY_UNKNOWN", class: "permanent" });
  const wrong = hosts("wrong", `${server.wrongKnownHost}\n`);
  const changed = await failureWith({ keyFile, knownHostsFile: wrong });
  expect(changed).toMatchObject({ code: "HOST_KEY_CHANGED", class: "permanent" });

  const stranger = join(folder, "stranger");
  sshKeyPair(stranger);
  const refused = await failureWith({ keyFile: stranger, knownHostsFile });
  expect(refused.code).toBe("GIT_CREDENTIALS_REFUSED");

  chmodSync(keyFile, 0o644);
  const open = await failureWith({ keyFile, knownHostsFile });
  expect(open).toMatchObject({
    failure: { code: "CONFIGURATION_INVALID", remedy: expect.stringContaining("chmod 600") },
  });
  expect(open.message).toContain(`${keyFile}: expected a private key`);
  expect(open.message).toContain("got mode 0644");
  const missing = await failureWith({ keyFile: join(folder, "gone"), knownHostsFile });
  expect(missing.code).toBe("CONFIGURATION_INVALID");
});
