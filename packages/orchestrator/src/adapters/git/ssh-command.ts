/** How to reach ssh remotes; what is left out is the worker's user's own (agent, `~/.ssh`). */
export interface GitSsh {
  /** Absolute path of the one private key that is used. */
  readonly keyFile?: string;
  /** Absolute path of the one file whose host keys are trusted. */
  readonly knownHostsFile?: string;
}

/** BatchMode: no question is ever asked. The other three bound a host that has gone silent. */
const ALWAYS = [
  "BatchMode=yes",
  "ConnectTimeout=30",
  "ServerAliveInterval=15",
  "ServerAliveCountMax=4",
  // Not even where the user's configuration would take a key that nobody has seen.
  "StrictHostKeyChecking=yes",
];

/**
 * The value of `GIT_SSH_COMMAND`: a line for the shell. Options of the command line come before every
 * configuration file of ssh.
 */
export function sshCommand({ keyFile, knownHostsFile }: GitSsh): string {
  const options = [
    ...ALWAYS,
    ...(keyFile === undefined ? [] : [`IdentityFile=${sshPath(keyFile)}`, "IdentitiesOnly=yes"]),
    ...(knownHostsFile === undefined
      ? []
      : [
          `UserKnownHostsFile=${sshPath(knownHostsFile)}`,
          "GlobalKnownHostsFile=/dev/null",
          "UpdateHostKeys=no",
        ]),
  ];
  return ["ssh", ...options.map((option) => `-o ${shellWord(option)}`)].join(" ");
}

/** Quoted, since ssh splits at spaces; `%h` and the like would be replaced. */
function sshPath(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9=]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
