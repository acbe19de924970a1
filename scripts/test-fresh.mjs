import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { root, toolchain } from "./checkout.mjs";
import { makeDebianTree } from "./images/debian-tree.mjs";
import { nodeArguments } from "./images/pinned-programs.mjs";
import { provision } from "./provision.mjs";
import { announce, Refusal, runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** What a new machine is asked to do; as in the README. */
const commands = process.argv.length > 2 ? process.argv.slice(2) : ["npm start", "npm test"];

/**
 * `npm run test:fresh [-- COMMAND…]`: the README's commands on a machine that has git, Node with npm and nothing else.
 *
 * The machine is a Debian in a folder, with mounts and process ids of its own, entered by pivot_root: programs that look
 * for a chroot see none. It has this machine's network, registry and certificates. It clones what is committed here.
 * Takes root.
 */
await runScript(async () => {
  if (process.getuid?.() !== 0) throw new Refusal("npm run test:fresh takes root", 78);
  await provision(["git", "unshare", "debootstrap"]);
  const tree = mkdtempSync("/var/tmp/speckit-fresh-");
  // It becomes the root folder, which servers of other users go through.
  chmodSync(tree, 0o755);
  try {
    await makeDebianTree(tree, ["ca-certificates", "git"]);
    bringNode(tree);
    bringSettings(tree);
    cloneInto(join(tree, "home/speckit"));
    for (const command of commands) {
      announce(`fresh machine: ${command}`);
      const startedAt = Date.now();
      const code = await runForeground("unshare", enter(tree, command), { env: environment() });
      announce(
        `fresh machine: ${command}: exit code ${code}, ${Math.round((Date.now() - startedAt) / 1000)} s`,
      );
      if (code !== 0) return code;
    }
    return 0;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
});

/** Node from npm's package, and the npm of this machine. */
function bringNode(tree) {
  const { NODE_PACKAGE, NODE_VERSION } = nodeArguments(
    process.arch === "arm64" ? "arm64" : "amd64",
  );
  mkdirSync(toolchain, { recursive: true });
  const archive = join(toolchain, `${NODE_PACKAGE}-${NODE_VERSION}.tgz`);
  const name = `${NODE_PACKAGE}@${NODE_VERSION}`;
  if (!existsSync(archive)) run("npm", ["pack", "--silent", "--pack-destination", toolchain, name]);
  const local = join(tree, "usr/local");
  const options = ["--no-same-owner", "--strip-components=1", "-C", local];
  run("tar", ["-xzf", archive, ...options, "package/bin"]);
  const npm = spawnSync("sh", ["-c", 'realpath "$(command -v npm)"'], { encoding: "utf8" });
  const ours = dirname(dirname(npm.stdout.trim()));
  cpSync(ours, join(local, "lib/node_modules/npm"), { recursive: true });
  for (const program of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, join(local, "bin", program));
  }
}

/** Name resolution, and the certificates this machine trusts. */
function bringSettings(tree) {
  for (const path of ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"]) {
    if (existsSync(path)) cpSync(path, join(tree, path), { dereference: true });
  }
  writeFileSync(join(tree, "etc/hostname"), "fresh\n");
}

function cloneInto(folder) {
  run("git", ["clone", "--quiet", "--no-hardlinks", `file://${root}`, folder]);
}

function enter(tree, command) {
  const script = `
    set -eu
    mount --make-rprivate /
    mount --bind "$1" "$1"
    cd "$1"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs run
    mount -t tmpfs tmpfs tmp
    mkdir -p mnt/outside
    pivot_root . mnt/outside
    umount -l /mnt/outside
    cd /home/speckit
    exec sh -c "$2"`;
  return [
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--",
    "sh",
    "-c",
    script,
    "sh",
    tree,
    command,
  ];
}

/** Nothing of this process's own but where packages come from and whom to trust. */
function environment() {
  const passed = ["npm_config_registry", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "TERM"];
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LANG: "C.UTF-8",
    ...Object.fromEntries(
      passed.filter((name) => process.env[name]).map((name) => [name, process.env[name]]),
    ),
  };
}

function run(command, args) {
  const done = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0) throw new Refusal(`${command} ${args[0]} failed`);
}
