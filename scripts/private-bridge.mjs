import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Refusal } from "./refusal.mjs";

/** The bridge and the addresses of the private Docker engine number `slot`. */
export function bridgeOf(slot) {
  return {
    name: `speckit-t${slot}`,
    address: `10.213.${slot}.1/24`,
    /** Of the networks made later. */
    pool: `10.214.${slot * 16}.0/20`,
  };
}

/**
 * Makes the bridge. One that a killed run has left behind is taken over as it is.
 *
 * Containers of one network speak through the machine's FORWARD chain where its kernel says so, and any other engine
 * that has ever run here has closed that: two rules let those addresses through among themselves, and nothing else.
 */
export function makeBridge(bridge) {
  if (!existsSync(`/sys/class/net/${bridge.name}`)) {
    run("ip", ["link", "add", "name", bridge.name, "type", "bridge"]);
    run("ip", ["address", "add", bridge.address, "dev", bridge.name]);
    run("ip", ["link", "set", bridge.name, "up"]);
  }
  forbid(bridge);
  for (const rule of rulesOf(bridge)) run("iptables", ["-w", "-I", "FORWARD", ...rule]);
}

/** Leaves nothing of it. */
export function removeBridge(bridge) {
  forbid(bridge);
  spawnSync("ip", ["link", "delete", bridge.name], { stdio: "ignore" });
}

function rulesOf({ address, pool }) {
  return [address, pool].map((range) => ["-s", range, "-d", range, "-j", "ACCEPT"]);
}

function forbid(bridge) {
  for (const rule of rulesOf(bridge)) {
    const remove = ["-w", "-D", "FORWARD", ...rule];
    while (spawnSync("iptables", remove, { stdio: "ignore" }).status === 0);
  }
}

function run(command, args) {
  const step = spawnSync(command, args, { encoding: "utf8" });
  if (step.status === 0) return;
  throw new Refusal(
    `${command} ${args.join(" ")} failed: ${step.stderr?.trim() || step.error?.code}.\n  A private Docker engine cannot be made here; set DOCKER_HOST to one that runs.`,
    78,
  );
}
