import { existsSync } from "node:fs";
import { join } from "node:path";
import { toolchain } from "./checkout.mjs";
import { denyServiceStarts, leftOverUnits } from "./deny-service-starts.mjs";
import { needs } from "./machine-needs.mjs";
import { announce, Refusal } from "./refusal.mjs";
import { runQuietly, tail } from "./run-quietly.mjs";

const installOptions = ["install", "-y", "--no-install-recommends"];

/** Installs what the needs name with apt-get, without starting a service. Root only, under the machine's lock. */
export async function installPackages(absent, onGroup) {
  const units = absent.flatMap((need) => need.units ?? []).filter((unit) => !isUnit(unit));
  const withPostgres = absent.includes(needs.postgres);
  await denyServiceStarts({ units, withPostgres }, () =>
    install(
      absent.map((need) => need.debian),
      onGroup,
    ),
  );
}

/** Finishes an installation of ours that was cut: dpkg ends it while starts are still denied. */
export async function finishCutInstallation(onGroup) {
  const units = leftOverUnits();
  if (units === undefined) return;
  announce("finishing an earlier installation of packages that was cut off");
  await denyServiceStarts({ units }, () => runPatiently("dpkg", ["--configure", "-a"], onGroup));
}

async function install(packages, onGroup) {
  const names = packages.join(" ");
  announce(`installing Debian packages: ${names} (and what they need). No service is started.`);
  const apt = (...args) => {
    const options = ["-q", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"];
    return runPatiently("apt-get", [...options, ...args], onGroup);
  };
  let run = await apt(...installOptions, "--simulate", ...packages);
  if (run.code === 0) run = await apt(...installOptions, ...packages);
  // A new machine has no package lists, and old lists name files that are gone: update, then once more.
  if (run.code !== 0) {
    announce("updating the package lists");
    await apt("update");
    run = await apt(...installOptions, ...packages);
  }
  if (run.code === 0) return announce(`installed ${names}`);
  throw new Refusal(
    `apt-get could not install ${names}:\n${tail(run.output)}\n` +
      `Mend that, or install by hand: apt-get update && apt-get ${installOptions.join(" ")} ${names}`,
    78,
  );
}

function runPatiently(command, args, onGroup) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  const logPath = join(toolchain, "apt-get.log");
  return runQuietly(command, args, { env, logPath, patient: true, onGroup });
}

/** Whether the machine has the service already: such a one stays as it is. */
function isUnit(name) {
  const folders = ["/lib/systemd/system", "/usr/lib/systemd/system"];
  return folders.some((folder) => existsSync(join(folder, name)));
}
