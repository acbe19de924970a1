import type { GitCredential } from "../../ports/git-credentials.ts";
import type { CheckedRemote } from "./checked-remote.ts";
import { type GitSsh, sshCommand } from "./ssh-command.ts";

/**
 * The whole environment of every git command: nothing of the worker's own reaches git but what is
 * named here, and no configuration file of the machine or the user is read.
 *
 * Configuration travels in `GIT_CONFIG_*` variables, which git puts above every file: a repository's
 * own configuration cannot undo it. A credential travels the same way: it is in no argv (any user of
 * the machine may read those) and in no file (those outlive a crash).
 */
export type Environment = Readonly<Record<string, string>>;

/** Taken over when set. libcurl and git read exactly these spellings. */
const PASSED_THROUGH = [
  "PATH",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SSH_AUTH_SOCK",
  "TMPDIR",
] as const;

const CONFIGURATION: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.autocrlf", "false"],
  ["core.safecrlf", "false"],
  ["core.quotePath", "false"],
  ["core.logAllRefUpdates", "false"],
  // Of what is archived: modes as a checkout has them.
  ["tar.umask", "0022"],
  ["core.ignoreCase", "false"],
  // A repack in a cache could drop what another run has just fetched.
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["init.templateDir", ""],
  ["credential.helper", ""],
  ["commit.gpgSign", "false"],
  ["push.gpgSign", "false"],
  ["push.followTags", "false"],
  ["submodule.recurse", "false"],
  ["protocol.ext.allow", "never"],
  // libcurl would carry our header to whatever host a redirect names; see remote-refs.ts.
  ["http.followRedirects", "false"],
  // Less than 100 bytes a second for a minute is a dead connection, not a slow one.
  ["http.lowSpeedLimit", "100"],
  ["http.lowSpeedTime", "60"],
];

/** What one command has besides. */
export interface CommandSettings {
  /** The one remote it may talk to; undefined: none at all. */
  readonly remote?: CheckedRemote | undefined;
  readonly credential?: GitCredential | undefined;
  /** Configuration file the far side of a `file` remote reads. */
  readonly remoteConfig?: string | undefined;
  readonly ssh?: GitSsh;
  readonly config?: readonly (readonly [string, string])[];
}

export function gitEnvironment(
  machine: Readonly<Record<string, string | undefined>>,
  { remote, credential, remoteConfig, ssh = {}, config = [] }: CommandSettings = {},
): Environment {
  const environment: Record<string, string> = {
    LC_ALL: "C",
    TZ: "UTC",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: remoteConfig ?? "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    SSH_ASKPASS_REQUIRE: "never",
    GIT_SSH_COMMAND: sshCommand(ssh),
    GIT_ALLOW_PROTOCOL: remote?.transport ?? "",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "1",
    // Large files stay their pointers: nothing is fetched for them.
    GIT_LFS_SKIP_SMUDGE: "1",
    // Nothing is there: a command that was given no repository must not go looking for one.
    GIT_DIR: "/nonexistent/no-repository",
  };
  for (const name of PASSED_THROUGH) {
    const value = machine[name];
    if (value !== undefined && value !== "") {
      environment[name] = value;
    }
  }
  // Git's libcurl does not read SSL_CERT_FILE in every build; git's own variable it always reads.
  if (environment.SSL_CERT_FILE !== undefined) {
    environment.GIT_SSL_CAINFO ??= environment.SSL_CERT_FILE;
  }
  const settings = [...CONFIGURATION, ...config, ...credentialSetting(remote, credential)];
  environment.GIT_CONFIG_COUNT = String(settings.length);
  for (const [ix, [key, value]] of settings.entries()) {
    environment[`GIT_CONFIG_KEY_${ix}`] = key;
    environment[`GIT_CONFIG_VALUE_${ix}`] = value;
  }
  return environment;
}

function credentialSetting(
  remote: CheckedRemote | undefined,
  credential: GitCredential | undefined,
): readonly (readonly [string, string])[] {
  if (remote === undefined || credential === undefined) {
    return [];
  }
  const basic = Buffer.from(`${credential.username}:${credential.token}`).toString("base64");
  return [[`http.https://${remote.host}/.extraHeader`, `Authorization: Basic ${basic}`]];
}
