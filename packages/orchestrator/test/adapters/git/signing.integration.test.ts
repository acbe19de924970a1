import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sshKeyPair } from "@speckit/testkit";
import { expect, onTestFinished, test } from "vitest";
import type { GitWorkspaceOptions } from "../../../src/adapters/git/index.ts";
import { removeFolder } from "../../../src/adapters/git/remove-folder.ts";
import { PLAIN_ENVIRONMENT } from "./fixtures/plain-git.ts";
import { remoteRepository, writeFiles } from "./fixtures/remote-repository.ts";
import {
  ABOUT,
  FEATURE,
  machine,
  preparedRun,
  rejection,
  SPECIFY,
  soon,
} from "./fixtures/run-fixture.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

async function harvested(
  options: Partial<Pick<GitWorkspaceOptions, "signing" | "trailers" | "environment">>,
) {
  const remote = remoteRepository();
  const { git } = machine(options);
  const run = await preparedRun(git, remote);
  const { workspace } = await git.createAttempt(run, SPECIFY, soon());
  writeFiles(workspace, { [`${FEATURE}/spec.md`]: "# Spec\n" });
  return { remote, git, run, harvest: await git.harvest(run, SPECIFY, soon()) };
}

/** What git says about the signature of a branch's tip: `G` is good. */
function verified(
  repository: string,
  branch: string,
  config: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const { stdout, stderr } = spawnSync(
    "git",
    [...config.flatMap((setting) => ["-c", setting]), "log", "-1", "--format=%G? %GS", branch],
    { cwd: repository, encoding: "utf8", env: { ...PLAIN_ENVIRONMENT, ...env } },
  );
  return `${stdout}${stderr}`;
}

test("commits are signed with an ssh key, carry the deployment's trailers, and made again have the same id", async () => {
  const keyFile = join(temporaryFolder(), "key");
  const publicKey = sshKeyPair(keyFile);
  const { remote, git, run, harvest } = await harvested({
    signing: { kind: "ssh", keyFile },
    trailers: ["Signed-off-by: Speckit <speckit@example.test>"],
  });
  const about = { ...ABOUT, message: "docs: specify it\n\nSpeckit-Run: 1\n" };
  const { tipSha } = await harvest.commit(about);
  expect((await harvest.commit(about)).tipSha).toBe(tipSha);
  await git.push({ ...run, tipSha }, null, soon());

  const signers = join(temporaryFolder(), "signers");
  writeFileSync(signers, `speckit@example.test ${publicKey}\n`);
  const config = [`gpg.ssh.allowedSignersFile=${signers}`];
  expect(verified(remote.path, run.branch, config)).toContain("G speckit@example.test");
  writeFileSync(signers, `ada@example.test ${sshKeyPair(join(temporaryFolder(), "other"))}\n`);
  expect(verified(remote.path, run.branch, config)).not.toContain("G ");
  expect(remote.git("log", "-1", "--format=%(trailers:only)", run.branch).trim()).toBe(
    "Speckit-Run: 1\nSigned-off-by: Speckit <speckit@example.test>",
  );
});

test("a key that cannot be used ends the run with what to do, and asks nobody", async () => {
  const keyFile = join(temporaryFolder(), "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "a passphrase", "-f", keyFile]);
  const { harvest } = await harvested({ signing: { kind: "ssh", keyFile } });
  expect(await rejection(harvest.commit(ABOUT))).toMatchObject({
    code: "COMMIT_NOT_SIGNED",
    class: "permanent",
  });
  chmodSync(keyFile, 0o640);
  expect((await rejection(harvest.commit(ABOUT))).message).toContain("got mode 0640");
});

test("commits are signed with a key of GnuPG's folder; one it does not have is named so", async () => {
  // Its agent's socket has a path of at most 107 bytes.
  const home = mkdtempSync(join(tmpdir(), "gpg-"));
  const env = { ...PLAIN_ENVIRONMENT, GNUPGHOME: home };
  onTestFinished(async () => {
    spawnSync("gpgconf", ["--kill", "all"], { env });
    await removeFolder(home);
  });
  const user = "Speckit <speckit@example.test>";
  const options = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""];
  execFileSync("gpg", [...options, "--quick-generate-key", user, "ed25519", "sign"], {
    env,
    stdio: "ignore",
  });
  const environment = { ...process.env, GNUPGHOME: home };
  const signing = { kind: "gpg", key: "speckit@example.test" } as const;
  const { remote, git, run, harvest } = await harvested({ environment, signing });
  const { tipSha } = await harvest.commit(ABOUT);
  await git.push({ ...run, tipSha }, null, soon());
  expect(verified(remote.path, run.branch, [], { GNUPGHOME: home })).toContain(`G ${user}`);

  const none = await harvested({
    environment,
    signing: { kind: "gpg", key: "nobody@example.test" },
  });
  expect((await rejection(none.harvest.commit(ABOUT))).code).toBe("COMMIT_NOT_SIGNED");
});
