import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@speckit/private-broker";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { tempFolder } from "./temp-folder.ts";

export interface SshServer {
  /** `ssh://user@127.0.0.1:port`: an absolute path of this machine follows. */
  readonly url: string;
  /** The line of a `known_hosts` file for it. */
  readonly knownHost: string;
  /** The same with another key than the server's. */
  readonly wrongKnownHost: string;
}

/** An ed25519 key pair without a passphrase. @returns the public key's line */
export function sshKeyPair(file: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file]);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

/**
 * OpenSSH's own server on a free port of 127.0.0.1, as this user, until the test is over: it lets in
 * one key, and runs nothing but git's own commands.
 */
export async function sshServer(options: {
  readonly publicKey: string;
  /** Forwards sockets instead, and runs nothing. */
  readonly forwards?: boolean;
}): Promise<SshServer> {
  const folder = await tempFolder("ssh-server");
  const at = (name: string) => join(folder.path, name);
  const hostKey = sshKeyPair(at("host_key"));
  const otherKey = sshKeyPair(at("other_key"));
  const port = await freePort();
  writeFileSync(at("authorized_keys"), `${options.publicKey}\n`, { mode: 0o600 });
  writeFileSync(
    at("config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${at("host_key")}`,
      "PidFile none",
      `AuthorizedKeysFile ${at("authorized_keys")}`,
      // The folder of temporary files may be everybody's.
      "StrictModes no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin prohibit-password",
      options.forwards === true
        ? "ForceCommand false"
        : 'ForceCommand exec git-shell -c "$SSH_ORIGINAL_COMMAND"',
      "",
    ].join("\n"),
  );
  if (process.getuid?.() === 0) {
    // Where the server puts the part of itself that strangers talk to.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  }
  const server = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", at("config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  onTestFinished(async () => {
    if (server.exitCode === null) {
      const over = once(server, "exit");
      server.kill();
      await over;
    }
    await folder[Symbol.asyncDispose]();
  });
  await eventually(
    "sshd listens",
    () => said,
    (text) => text.includes("Server listening"),
  );
  const host = `[127.0.0.1]:${port}`;
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    knownHost: `${host} ${hostKey}`,
    wrongKnownHost: `${host} ${otherKey}`,
  };
}
