import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { toolchain } from "./checkout.mjs";
import { installDependencies, isInstalled, recordInstalled } from "./install-dependencies.mjs";
import { withLock } from "./lock-file.mjs";
import { announce, Refusal } from "./refusal.mjs";
import { dropPnpm, ensureToolchain, hasNode, nodePath, toolchainEnv } from "./toolchain.mjs";

/**
 * Makes a bare clone runnable and resolves with the Node to use and its environment.
 *
 * Needs git's checkout, Node 20 or newer with npm, and the npm registry, nothing else. A call that finds everything in
 * place reads a few small files and returns; one that was cut is repaired by the next; of two at once one waits.
 */
export async function bootstrap({ dev }) {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new Refusal(`Node 20 or newer is needed to start; this is ${process.version}.`, 78);
  }
  if (!isReady(dev)) {
    mkdirSync(toolchain, { recursive: true });
    await withLock(join(toolchain, "lock"), "the installation", (onGroup) => install(dev, onGroup));
  }
  return { node: nodePath, env: toolchainEnv() };
}

function isReady(dev) {
  return hasNode() && isInstalled({ dev });
}

async function install(dev, onGroup) {
  if (isReady(dev)) return;
  const startedAt = Date.now();
  await ensureToolchain(onGroup);
  const full = await installDependencies({ dev }, onGroup);
  if (!full) dropPnpm();
  recordInstalled(full);
  announce(`installed in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}
