import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askDocker } from "./images/docker.mjs";
import { tryLock } from "./lock-file.mjs";
import { isOnPath } from "./machine-needs.mjs";
import { bridgeOf, makeBridge, removeBridge } from "./private-bridge.mjs";
import { announce, Refusal } from "./refusal.mjs";
import { tail } from "./run-quietly.mjs";

/** Kept between runs, so that images are built once for a machine. */
const dataParent = "/var/lib/speckit-test-docker";
/** Several test runs on one machine have one each. */
const slots = 4;
const startWithinMs = 60_000;
const endWithinMs = 30_000;

/**
 * Runs `body` with the environment of a Docker engine: the one that DOCKER_HOST names or that answers on this machine,
 * else a private one, ended afterwards.
 *
 * The private one has a data folder, a socket, a bridge and address ranges of its own, and touches no firewall rule but
 * two of its own: it leaves alone whatever else is on the machine. It takes root, and ends when this process dies in whatever way.
 */
export async function withDockerEngine(env, body) {
  if (env.DOCKER_HOST || askDocker(["version"], env) !== undefined) {
    announce(`Docker engine: ${env.DOCKER_HOST || "the machine's own"}`);
    return body(env);
  }
  if (process.getuid?.() !== 0 || !isOnPath("dockerd")) {
    throw new Refusal(
      "No Docker engine answers, and a private one takes root and Debian's docker.io.\n  Start one, or set DOCKER_HOST.",
      78,
    );
  }
  const { slot, release } = takeSlot();
  try {
    return await withPrivateEngine(slot, env, body);
  } finally {
    release();
  }
}

function takeSlot() {
  for (let slot = 0; slot < slots; slot += 1) {
    const release = tryLock(`/run/speckit-test-docker-${slot}.lock`);
    if (release !== undefined) return { slot, release };
  }
  throw new Refusal(`${slots} private Docker engines are in use already; end one of them`, 75);
}

async function withPrivateEngine(slot, env, body) {
  const run = `/run/speckit-test-docker-${slot}`;
  const data = join(dataParent, String(slot));
  const bridge = bridgeOf(slot);
  rmSync(run, { recursive: true, force: true });
  mkdirSync(run, { recursive: true, mode: 0o700 });
  mkdirSync(data, { recursive: true, mode: 0o711 });
  makeBridge(bridge);
  const socket = join(run, "docker.sock");
  const logPath = join(run, "log");
  const log = openSync(logPath, "w");
  const options = [
    ...["--data-root", data, "--exec-root", join(run, "exec"), "--pidfile", join(run, "pid")],
    ...["-H", `unix://${socket}`, "--bridge", bridge.name, "--iptables=false", "--ip-masq=false"],
    ...["--default-address-pool", `base=${bridge.pool},size=26`],
  ];
  // In a mount namespace of its own: what it mounts is gone with it, also when it was killed.
  const guard = ["--pdeathsig", "TERM", "--", "unshare", "--mount", "--propagation", "slave", "--"];
  const daemon = spawn("setpriv", [...guard, "dockerd", ...options], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const ended = once(daemon, "exit");
  const engineEnv = { ...env, DOCKER_HOST: `unix://${socket}` };
  try {
    await untilItAnswers(daemon, engineEnv, logPath);
    removeLeftOvers(engineEnv);
    announce(`Docker engine: a private one, its images in ${data}`);
    return await body(engineEnv);
  } finally {
    await end(daemon, ended);
    removeBridge(bridge);
    rmSync(run, { recursive: true, force: true });
  }
}

async function untilItAnswers(daemon, env, logPath) {
  const deadline = Date.now() + startWithinMs;
  while (askDocker(["version"], env) === undefined) {
    if (daemon.exitCode !== null || daemon.signalCode !== null || Date.now() > deadline) {
      throw new Refusal(
        `The private Docker engine did not start. Its log ends with:\n${tail(readFileSync(logPath, "utf8"))}\n  Set DOCKER_HOST to one that runs.`,
        78,
      );
    }
    await sleep(100);
  }
}

/** Of a run that was killed: this engine is for nothing else. */
function removeLeftOvers(env) {
  const containers = askDocker(["ps", "-aq"], env)?.split("\n").filter(Boolean) ?? [];
  if (containers.length > 0) askDocker(["rm", "-f", "-v", ...containers], env);
  const volumes = askDocker(["volume", "ls", "-q"], env)?.split("\n").filter(Boolean) ?? [];
  if (volumes.length > 0) askDocker(["volume", "rm", "-f", ...volumes], env);
  askDocker(["network", "prune", "-f"], env);
}

async function end(daemon, ended) {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.kill("SIGTERM");
  const killer = setTimeout(() => daemon.kill("SIGKILL"), endWithinMs);
  await ended;
  clearTimeout(killer);
}
