import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * What tests and fleet need of a machine: how to see that it is there, the Debian package that brings it, the services
 * that come with it, and the variable that names a running one to use instead.
 */
export const needs = {
  git: { debian: "git", isThere: () => isOnPath("git") },
  bash: { debian: "bash", isThere: () => isOnPath("bash") },
  unshare: { debian: "util-linux", isThere: () => isOnPath("unshare") },
  pika: {
    debian: "python3-pika",
    isThere: () => hasPika("/usr/bin/python3") || hasPika("python3"),
  },
  ssh: { debian: "openssh-client", isThere: () => isOnPath("ssh") && isOnPath("ssh-keygen") },
  // It is no program of everybody's PATH, and is started by its whole path.
  sshd: {
    debian: "openssh-server",
    units: ["ssh.service", "ssh.socket"],
    isThere: () => existsSync("/usr/sbin/sshd"),
  },
  gpg: { debian: "gnupg", isThere: () => isOnPath("gpg") && isOnPath("gpg-agent") },
  openssl: { debian: "openssl", isThere: () => isOnPath("openssl") },
  docker: {
    debian: "docker.io",
    units: ["docker.service", "docker.socket", "containerd.service"],
    isThere: () => isOnPath("docker") && (isOnPath("dockerd") || !!process.env.DOCKER_HOST),
  },
  debootstrap: {
    debian: "debootstrap",
    configuredBy: "BASE_IMAGE",
    isThere: () => isOnPath("debootstrap"),
  },
  compose: {
    debian: "docker-compose",
    isThere: () => isOnPath("docker-compose") || answers("docker", ["compose", "version"]),
  },
  // The engine's own name server in its networks is reached through rules made with it.
  iptables: { debian: "iptables", isThere: () => isOnPath("iptables") },
  iproute: { debian: "iproute2", isThere: () => isOnPath("ip") },
  rabbitmq: {
    debian: "rabbitmq-server",
    units: ["rabbitmq-server.service", "epmd.service", "epmd.socket"],
    configuredBy: "AMQP_URL",
    // Not the one on PATH: that changes to another user and the machine's own folders.
    isThere: () => existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server"),
  },
  postgres: {
    debian: "postgresql",
    units: ["postgresql.service"],
    configuredBy: "DATABASE_URL",
    isThere: () => postgresFolders().some((folder) => existsSync(join(folder, "bin/postgres"))),
  },
  // Not on everybody's PATH, and started by its whole path.
  pgbouncer: {
    debian: "pgbouncer",
    units: ["pgbouncer.service"],
    isThere: () => existsSync("/usr/sbin/pgbouncer"),
  },
};

/** Those of the named needs that neither a configured URL nor the machine meets. */
export function missing(names, env) {
  return names
    .map((name) => needs[name])
    .filter((need) => !env[need.configuredBy] && !need.isThere());
}

export function isOnPath(program) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => existsSync(join(folder, program)));
}

function postgresFolders() {
  const parent = "/usr/lib/postgresql";
  return existsSync(parent) ? readdirSync(parent).map((version) => join(parent, version)) : [];
}

function answers(program, args) {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Debian's Python, or the one on PATH: the library of another one is of no use to it. */
function hasPika(python) {
  return spawnSync(python, ["-c", "import pika"], { stdio: "ignore" }).status === 0;
}
