import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "./refusal.mjs";

const policy = "/usr/sbin/policy-rc.d";
const mark = "# speckit: temporary, while test services are installed";
/** Debian's postgresql package makes a database cluster for the machine, started at boot; ours are private. */
const noCluster = "/etc/postgresql-common/createcluster.d/speckit.conf";
/** The units that were new with an installation, kept while it lasts: a cut one is found by it. */
const record = "/var/lib/speckit-provision.json";

/** The units of an installation of ours that was cut, or undefined. */
export function leftOverUnits() {
  return existsSync(record) ? JSON.parse(readFileSync(record, "utf8") || "[]") : undefined;
}

/**
 * Runs `body` while Debian's packages are denied to start or stop services, and leaves `units` disabled at boot.
 *
 * Debian asks /usr/sbin/policy-rc.d before each such action; 101 forbids it. A policy the machine has already stays as
 * it is: it is asked, and if it would allow the start, nothing is installed. Everything written here is removed again.
 */
export async function denyServiceStarts({ units, withPostgres = false }, body) {
  refuseIfAllowed();
  writeFileSync(record, JSON.stringify(units));
  try {
    if (!existsSync(policy)) writeFileSync(policy, `#!/bin/sh\n${mark}\nexit 101\n`);
    if (isOurs()) chmodSync(policy, 0o755);
    if (withPostgres) {
      mkdirSync(dirname(noCluster), { recursive: true });
      writeFileSync(noCluster, "create_main_cluster = false\n");
    }
    return await body();
  } finally {
    disableAtBoot(units);
    restore();
  }
}

function refuseIfAllowed() {
  if (!existsSync(policy) || isOurs()) return;
  const answer = spawnSync(policy, ["rabbitmq-server", "start"], { stdio: "ignore" });
  if (answer.status === 101) return;
  throw new Refusal(
    `${policy} allows services to start, so nothing is installed. Install the packages by hand.`,
    78,
  );
}

function isOurs() {
  return existsSync(policy) && readFileSync(policy, "utf8").includes(mark);
}

/** Needs no running systemd; update-rc.d does it where there is no systemctl, and knows services only. */
function disableAtBoot(units) {
  for (const unit of units) {
    spawnSync("systemctl", ["disable", unit], { stdio: "ignore" });
    spawnSync("update-rc.d", [unit.replace(/\.\w+$/, ""), "disable"], { stdio: "ignore" });
  }
}

function restore() {
  if (isOurs()) rmSync(policy);
  if (existsSync(noCluster)) {
    rmSync(noCluster);
    if (readdirSync(dirname(noCluster)).length === 0) rmdirSync(dirname(noCluster));
  }
  rmSync(record, { force: true });
}
