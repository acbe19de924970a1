import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { toolchain } from "./checkout.mjs";
import { allowServiceStarts, denyServiceStarts, isLeftOver } from "./deny-service-starts.mjs";
import { withLock } from "./lock-file.mjs";
import { announce, Refusal } from "./refusal.mjs";
import { runQuietly, tail } from "./run-quietly.mjs";

/** What tests and fleet need of a machine: how to see that it is there, and the Debian package that brings it. */
const needs = {
  git: { debian: "git", isThere: () => isOnPath("git") },
  bash: { debian: "bash", isThere: () => isOnPath("bash") },
  unshare: { debian: "util-linux", isThere: () => isOnPath("unshare") },
  openssl: { debian: "openssl", isThere: () => isOnPath("openssl") },
  rabbitmq: {
    debian: "rabbitmq-server",
    units: ["rabbitmq-server.service", "epmd.service", "epmd.socket"],
    configuredBy: "AMQP_URL",
    isThere: () => existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server"),
  },
  postgres: {
    debian: "postgresql",
    units: ["postgresql.service"],
    configuredBy: "DATABASE_URL",
    isThere: () => versionsOfPostgres().some((folder) => existsSync(join(folder, "bin/postgres"))),
  },
};

/**
 * Makes sure that the named needs are met, or refuses with the command that would meet them (exit 78).
 *
 * A need whose URL is configured is met. The machine is changed only by root, on a Debian-like system, and unless
 * SPECKIT_TEST_PROVISION is 0; what will be installed is said first, and no service is started or left enabled.
 */
export async function provision(names, env = process.env) {
  const mayChange =
    env.SPECKIT_TEST_PROVISION !== "0" && process.getuid?.() === 0 && isDebianLike();
  if (mayChange && isLeftOver()) await withMachineLock(mend);
  if (missing(names, env).length === 0) return;
  if (!mayChange) throw new Refusal(howToInstall(missing(names, env), env), 78);
  await withMachineLock(async (onGroup) => {
    const absent = missing(names, env);
    if (absent.length === 0) return;
    await denyServiceStarts(() => install(absent, onGroup), {
      withPostgres: absent.includes(needs.postgres),
    });
  });
  const still = missing(names, env);
  if (still.length > 0)
    throw new Refusal(`installed, but still missing: ${packagesOf(still).join(", ")}`, 78);
}

function missing(names, env) {
  return names
    .map((name) => needs[name])
    .filter((need) => !env[need.configuredBy] && !need.isThere());
}

function packagesOf(absent) {
  return absent.map((need) => need.debian);
}

function howToInstall(absent, env) {
  const packages = packagesOf(absent).join(" ");
  const urls = absent.flatMap((need) => need.configuredBy ?? []);
  const instead = urls.length > 0 ? `\nOr set ${urls.join(" and ")} to use running ones.` : "";
  if (!isDebianLike())
    return `missing: ${packages} (Debian's names). Install them with this system's packages.${instead}`;
  const why =
    env.SPECKIT_TEST_PROVISION === "0" ? "SPECKIT_TEST_PROVISION is 0" : "this is not root";
  return `missing: ${packages}, and not installed because ${why}. Run:\n  ${process.getuid?.() === 0 ? "" : "sudo "}apt-get install -y --no-install-recommends ${packages}${instead}`;
}

async function install(absent, onGroup) {
  const packages = packagesOf(absent);
  announce(
    `installing Debian packages: ${packages.join(" ")} (and what they need). No service will be started.`,
  );
  const apt = (...args) => runApt(args, onGroup);
  const units = absent.flatMap((need) => need.units ?? []).filter((unit) => !isUnit(unit));
  const wanted = ["install", "-y", "--no-install-recommends", ...packages];
  // A machine that has never updated has no package lists, and old lists name files that are gone: update, then once more.
  let run = await apt("install", "--simulate", "--no-install-recommends", ...packages);
  if (run.code === 0) run = await apt(...wanted);
  if (run.code !== 0) {
    announce("updating the package lists");
    await apt("update");
    run = await apt(...wanted);
  }
  if (run.code !== 0) {
    throw new Refusal(
      `apt-get could not install ${packages.join(" ")}:\n${tail(run.output)}\n${byHand(packages)}`,
      78,
    );
  }
  disableAtBoot(units);
  announce(`installed ${packages.join(" ")}`);
}

function byHand(packages) {
  return `Mend that, or install by hand: apt-get update && apt-get install --no-install-recommends ${packages.join(" ")}`;
}

function runApt(args, onGroup) {
  mkdirSync(toolchain, { recursive: true });
  return runQuietly(
    "apt-get",
    ["-q", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300", ...args],
    {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
      logPath: join(toolchain, "apt-get.log"),
      patient: true,
      onGroup,
    },
  );
}

/**
 * Packages enable their services for the next boot; these came for private use, new to this machine.
 *
 * Needs no running systemd; update-rc.d does it where there is no systemctl, and knows services only.
 */
function disableAtBoot(units) {
  for (const unit of units) {
    spawnSync("systemctl", ["disable", unit], { stdio: "ignore" });
    spawnSync("update-rc.d", [unit.replace(/\.\w+$/, ""), "disable"], { stdio: "ignore" });
  }
}

function isUnit(name) {
  return ["/lib/systemd/system", "/usr/lib/systemd/system"].some((folder) =>
    existsSync(join(folder, name)),
  );
}

/** An installation of ours was cut: let dpkg finish while starts are still denied, then put the machine back. */
async function mend(onGroup) {
  if (!isLeftOver()) return;
  announce("finishing an earlier installation of packages that was cut off");
  await denyServiceStarts(() =>
    runQuietly("dpkg", ["--configure", "-a"], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      logPath: join(toolchain, "apt-get.log"),
      patient: true,
      onGroup,
    }),
  );
  allowServiceStarts();
}

/** One for the machine, not one for the checkout: there is one dpkg. */
function withMachineLock(body) {
  mkdirSync(toolchain, { recursive: true });
  return withLock("/run/speckit-provision.lock", "the installation of Debian packages", body);
}

function isDebianLike() {
  return existsSync("/etc/debian_version") && isOnPath("apt-get");
}

function isOnPath(program) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && existsSync(join(folder, program)));
}

function versionsOfPostgres() {
  const parent = "/usr/lib/postgresql";
  return existsSync(parent) ? readdirSync(parent).map((version) => join(parent, version)) : [];
}
