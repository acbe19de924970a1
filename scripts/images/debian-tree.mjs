import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toolchain } from "../checkout.mjs";
import { isOnPath } from "../machine-needs.mjs";
import { announce, Refusal } from "../refusal.mjs";
import { runQuietly, tail } from "../run-quietly.mjs";
import { aptMirrors } from "./apt-sources.mjs";

export const suite = "bookworm";

/** Whether a tree can be made here; it takes root, since its files belong to root. */
export function canMakeTree() {
  return process.getuid?.() === 0 && isOnPath("debootstrap");
}

/**
 * A small Debian in a folder, from the machine's own mirror: what the official slim image has, by the same means.
 * Takes about a minute; downloaded packages are kept in `.toolchain/debian` for the next time.
 */
export async function makeDebianTree(folder, include = ["ca-certificates"]) {
  const { debian, security } = aptMirrors();
  const cache = join(toolchain, "debian");
  mkdirSync(cache, { recursive: true });
  leaveOut(folder);
  announce(`making a Debian ${suite} from ${debian} (once)`);
  const options = ["--variant=minbase", `--include=${include.join(",")}`, `--cache-dir=${cache}`];
  const { code, output } = await runQuietly("debootstrap", [...options, suite, folder, debian], {
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    logPath: join(toolchain, "debootstrap.log"),
  });
  if (code !== 0) throw new Refusal(`debootstrap failed:\n${tail(output)}`);
  writeFileSync(
    join(folder, "etc/apt/sources.list"),
    [
      `deb ${debian} ${suite} main`,
      `deb ${debian} ${suite}-updates main`,
      `deb ${security} ${suite}-security main`,
      "",
    ].join("\n"),
  );
  makeSmall(folder);
}

/**
 * For dpkg, in place before it comes: what its installations leave out, now and later, and that they need not wait for
 * the disk after each file.
 */
function leaveOut(folder) {
  const settings = join(folder, "etc/dpkg/dpkg.cfg.d");
  mkdirSync(settings, { recursive: true });
  const excluded = ["doc", "man", "info", "locale"].map(
    (name) => `path-exclude=/usr/share/${name}/*\n`,
  );
  writeFileSync(join(settings, "small"), ["force-unsafe-io\n", ...excluded].join(""));
}

/** What the first packages brought all the same; and no later one starts a service. */
function makeSmall(folder) {
  for (const path of ["usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale"]) {
    rmSync(join(folder, path), { recursive: true, force: true });
    mkdirSync(join(folder, path));
  }
  for (const path of ["var/cache/apt", "var/lib/apt/lists", "var/log"]) {
    rmSync(join(folder, path), { recursive: true, force: true });
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(
    join(folder, "etc/apt/apt.conf.d/small"),
    'Acquire::Languages "none";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n',
  );
  const policy = join(folder, "usr/sbin/policy-rc.d");
  writeFileSync(policy, "#!/bin/sh\nexit 101\n");
  chmodSync(policy, 0o755);
}
