import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, toolchain, workspacePackages } from "./checkout.mjs";
import { announce } from "./refusal.mjs";
import { registryFailure } from "./registry-failure.mjs";
import { runQuietly } from "./run-quietly.mjs";
import { toolchainEnv } from "./toolchain.mjs";

const stampPath = join(toolchain, "installed.json");
const startedPath = join(toolchain, "installing");

/** Whether `node_modules` holds what the lockfile says, and the development dependencies too if they are asked for. */
export function isInstalled({ dev }) {
  const stamp = readStamp();
  return stamp?.hash === hashOfInputs() && (stamp.dev || !dev) && isTreeThere();
}

/**
 * Makes `node_modules` match the lockfile; says whether the development dependencies are in. Call it under the lock.
 *
 * Only ever adds a kind of dependency: once development dependencies are in, by whichever command, they stay. An
 * install that was cut has left a mark, and everything is removed and linked again from pnpm's store.
 */
export async function installDependencies({ dev }, onGroup) {
  const full = dev || readStamp()?.dev === true || hasDevDependencies();
  if (existsSync(startedPath)) removeModules();
  rmSync(stampPath, { force: true });
  writeFileSync(startedPath, "");
  announce(`installing dependencies (${full ? "with the development tools" : "only what runs"})`);
  const scope = full ? [] : ["--prod", ...runnable.flatMap((name) => ["--filter-prod", name])];
  const logPath = join(toolchain, "pnpm-install.log");
  const args = ["install", "--frozen-lockfile", ...scope, ...options, ...registryOption()];
  const at = { cwd: root, env: toolchainEnv(), logPath, onGroup };
  const { code, output } = await runQuietly("pnpm", args, at);
  if (code !== 0) {
    throw registryFailure("installing dependencies", output, ".toolchain/pnpm-install.log");
  }
  return full;
}

/** The last step of an installation: until it is recorded, the next call does all of it again. */
export function recordInstalled(dev) {
  writeFileSync(stampPath, JSON.stringify({ hash: hashOfInputs(), dev }));
  rmSync(startedPath, { force: true });
}

/** What `npm start`, `npm run fleet` and the benches run, with what that depends on: nothing that exists for tests alone. */
const runnable = ["speckit...", "@speckit/fleet...", "@speckit/bench..."];

/**
 * `trustLockfile`: the lockfile is committed and names every package's hash. Whoever changes it has pnpm check the ages
 * of what it names; checking again here costs each bare machine a minute of metadata.
 */
const options = [
  "--reporter=append-only",
  "--config.trustLockfile=true",
  "--config.confirmModulesPurge=false",
  "--config.fetchRetries=2",
  "--config.fetchRetryMintimeout=1000",
  "--config.fetchRetryMaxtimeout=4000",
];

/** pnpm reads the registry from .npmrc files as npm does, but not from npm's environment variable. */
function registryOption() {
  const registry = process.env.npm_config_registry;
  return registry ? [`--registry=${registry}`] : [];
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampPath, "utf8"));
  } catch {
    return undefined;
  }
}

/** A checkout may be shared between systems, and some packages hold a program of one. */
function hashOfInputs() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  const manifests = [
    "package.json",
    ...workspacePackages().map((path) => join(path, "package.json")),
  ];
  for (const path of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
    hash.update(`\n${path}\n`).update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

function isTreeThere() {
  return !existsSync(startedPath) && existsSync(join(root, "node_modules/.modules.yaml"));
}

/** True for a checkout where a developer ran pnpm by hand. pnpm writes this file as JSON. */
function hasDevDependencies() {
  try {
    return (
      JSON.parse(readFileSync(join(root, "node_modules/.modules.yaml"), "utf8")).included
        .devDependencies === true
    );
  } catch {
    return false;
  }
}

function removeModules() {
  announce("an earlier install did not finish; doing it again from the start");
  for (const path of ["", ...workspacePackages()]) {
    rmSync(join(root, path, "node_modules"), { recursive: true, force: true });
  }
}
