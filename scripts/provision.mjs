import { existsSync, mkdirSync } from "node:fs";
import { toolchain } from "./checkout.mjs";
import { leftOverUnits } from "./deny-service-starts.mjs";
import { finishCutInstallation, installPackages } from "./install-packages.mjs";
import { withLock } from "./lock-file.mjs";
import { isOnPath, missing } from "./machine-needs.mjs";
import { Refusal } from "./refusal.mjs";

/**
 * Makes sure that the named needs are met, or refuses with the command that would meet them (exit 78).
 *
 * A need whose URL is configured is met. The machine is changed only by root, on a Debian-like system, and unless
 * SPECKIT_TEST_PROVISION is 0; what will be installed is said first, and no service is started or left enabled.
 */
export async function provision(names, env = process.env) {
  const obstacle = obstacleToChange(env);
  if (obstacle === undefined && leftOverUnits() !== undefined) {
    await withMachineLock(finishCutInstallation);
  }
  if (missing(names, env).length === 0) return;
  if (obstacle !== undefined) throw new Refusal(howToInstall(missing(names, env), obstacle), 78);
  await withMachineLock(async (onGroup) => {
    const absent = missing(names, env);
    if (absent.length > 0) await installPackages(absent, onGroup);
  });
  const still = missing(names, env);
  if (still.length === 0) return;
  throw new Refusal(`installed, but still missing: ${packagesOf(still)}`, 78);
}

function obstacleToChange(env) {
  if (!isDebianLike()) return "this is not a Debian-like system";
  if (env.SPECKIT_TEST_PROVISION === "0") return "SPECKIT_TEST_PROVISION is 0";
  return isRoot() ? undefined : "this is not root";
}

function howToInstall(absent, obstacle) {
  const urls = absent.flatMap((need) => need.configuredBy ?? []);
  return [
    `missing: ${packagesOf(absent)} (Debian's names). Not installed, because ${obstacle}.`,
    isDebianLike()
      ? `Run: ${isRoot() ? "" : "sudo "}apt-get install -y --no-install-recommends ${packagesOf(absent)}`
      : "Install them with this system's packages.",
    ...(urls.length > 0 ? [`Or set ${urls.join(" and ")} to use running ones.`] : []),
  ].join("\n  ");
}

function packagesOf(absent) {
  return absent.map((need) => need.debian).join(" ");
}

/** One for the machine, not one for the checkout: there is one dpkg. */
function withMachineLock(body) {
  mkdirSync(toolchain, { recursive: true });
  return withLock("/run/speckit-provision.lock", "the installation of Debian packages", body);
}

function isDebianLike() {
  return existsSync("/etc/debian_version") && isOnPath("apt-get");
}

function isRoot() {
  return process.getuid?.() === 0;
}
