import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { toolchain } from "./checkout.mjs";
import { announce, Refusal } from "./refusal.mjs";
import { registryFailure } from "./registry-failure.mjs";
import { runQuietly } from "./run-quietly.mjs";

/** Exact, like every dependency: what is tested is what runs. */
export const pinned = { node: "24.21.0", pnpm: "12.21.0" };

const modules = join(toolchain, "node_modules");
const bin = join(modules, ".bin");
const isInside = process.execPath.startsWith(modules);
const [major] = process.versions.node.split(".").map(Number);
/** A machine that brings Node 24 or newer uses its own: Node's package is 190 MB. */
const machineHasNode = major >= 24 && !isInside;

/** The Node that runs the project: the machine's own, or the one in `.toolchain`. */
export const nodePath = machineHasNode ? process.execPath : join(bin, "node");

/** The environment in which `node` and `pnpm` are the project's. */
export function toolchainEnv(env = process.env) {
  const path = [bin, ...(machineHasNode ? [dirname(process.execPath)] : []), env.PATH ?? ""];
  return {
    ...env,
    PATH: path.join(delimiter),
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE || join(toolchain, "compiled"),
  };
}

/** Whether the project's Node is there; a file check only, for the start that has nothing to install. */
export function hasNode() {
  return existsSync(nodePath);
}

/**
 * Makes Node and pnpm answer with the pinned versions. Call it under the lock.
 *
 * What counts is that the programs run: an install that was cut leaves folders that look complete. One that does not
 * answer is removed and fetched anew.
 */
export async function ensureToolchain(onGroup) {
  if (isComplete()) return;
  if (hasRunningNode()) dropPnpm();
  else rmSync(modules, { recursive: true, force: true });
  const wanted = machineHasNode ? { pnpm: pinned.pnpm } : pinned;
  const names = Object.entries(wanted).map(([name, version]) => `${name} ${version}`);
  announce(`fetching ${names.join(" and ")} into .toolchain (once)`);
  mkdirSync(toolchain, { recursive: true });
  writeFileSync(
    join(toolchain, "package.json"),
    `${JSON.stringify({ private: true, dependencies: wanted })}\n`,
  );
  const logPath = join(toolchain, "npm-install.log");
  const npm = (...options) => {
    const [command, ...first] = npmCommand();
    const args = [...first, "install", ...npmOptions, ...options];
    return runQuietly(command, args, { cwd: toolchain, logPath, onGroup });
  };
  // Exact versions never change, so npm's cache needs no asking; only one older than the version itself does.
  let { code, output } = await npm("--prefer-offline");
  if (code !== 0 && output.includes("ETARGET")) ({ code, output } = await npm("--prefer-online"));
  if (code !== 0)
    throw registryFailure(`fetching ${names.join(" and ")}`, output, ".toolchain/npm-install.log");
  dropHeaders();
  if (!isComplete()) {
    throw new Refusal(
      `npm installed ${names.join(" and ")} but they do not run here. See .toolchain/npm-install.log`,
    );
  }
}

/** Removes pnpm (68 MB) again: nothing that runs needs it, and the next install fetches it from npm's own cache. */
export function dropPnpm() {
  for (const name of [
    "pnpm",
    "@pnpm",
    ".bin/pnpm",
    ".bin/pn",
    ".bin/pnpx",
    ".bin/pnx",
    ".package-lock.json",
  ]) {
    rmSync(join(modules, name), { recursive: true, force: true });
  }
}

/** Node's package brings 67 MB of C headers for building native modules; nothing here is built. */
function dropHeaders() {
  const inner = join(modules, "node/node_modules");
  if (!existsSync(inner)) return;
  for (const name of readdirSync(inner).filter((name) => name.startsWith("node-"))) {
    rmSync(join(inner, name, "include"), { recursive: true, force: true });
  }
}

function isComplete() {
  return hasRunningNode() && answers("pnpm", pinned.pnpm);
}

function hasRunningNode() {
  return machineHasNode || answers("node", `v${pinned.node}`);
}

function answers(program, version) {
  const run = spawnSync(join(bin, program), ["--version"], {
    cwd: toolchain,
    env: toolchainEnv(),
    encoding: "utf8",
  });
  return run.status === 0 && run.stdout.trim() === version;
}

/**
 * Scripts must run: Node's package fetches the binary in one. Retries are short: npm's own defaults keep a machine
 * without a network waiting for two minutes.
 */
const npmOptions = [
  "--ignore-scripts=false",
  "--package-lock=false",
  "--omit=dev",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--loglevel=warn",
  "--fetch-retries=2",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=4000",
];

/** The npm that started us, else the one on PATH; npm_execpath may also be pnpm's or yarn's. */
function npmCommand() {
  const started = process.env.npm_execpath ?? "";
  return basename(started) === "npm-cli.js" ? [process.execPath, started] : ["npm"];
}
