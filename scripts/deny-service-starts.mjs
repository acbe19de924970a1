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

/** Whether an installation of ours was cut and has left its policy behind. */
export function isLeftOver() {
  return existsSync(policy) && readFileSync(policy, "utf8").includes(mark);
}

/** Removes what `denyServiceStarts` wrote, and nothing else. */
export function allowServiceStarts() {
  if (isLeftOver()) rmSync(policy, { force: true });
  if (!existsSync(noCluster)) return;
  rmSync(noCluster);
  if (readdirSync(dirname(noCluster)).length === 0) rmdirSync(dirname(noCluster));
}

/**
 * Runs `body` while Debian's packages are denied to start, stop or set up services on this machine.
 *
 * Debian asks /usr/sbin/policy-rc.d before each such action; 101 forbids it. A policy the machine has already stays
 * as it is: it is asked, and if it would allow the start, nothing is installed.
 */
export async function denyServiceStarts(body, { withPostgres = false } = {}) {
  if (existsSync(policy) && !isLeftOver()) {
    const answer = spawnSync(policy, ["rabbitmq-server", "start"], { stdio: "ignore" });
    if (answer.status !== 101) {
      throw new Refusal(
        `${policy} allows services to start, so nothing is installed. Install the packages by hand.`,
        78,
      );
    }
  } else {
    writeFileSync(policy, `#!/bin/sh\n${mark}\nexit 101\n`);
    chmodSync(policy, 0o755);
  }
  if (withPostgres) {
    mkdirSync(dirname(noCluster), { recursive: true });
    writeFileSync(noCluster, "create_main_cluster = false\n");
  }
  try {
    return await body();
  } finally {
    allowServiceStarts();
  }
}
