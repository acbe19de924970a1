#!/usr/bin/env node
// Plain JavaScript that any Node understands: speckit itself needs Node 24. In a checkout whose
// machine has an older one, the Node that `npm start` has brought carries it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import nodeModule from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
const main = new URL("../src/main.ts", import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  rememberCompiledCode();
  await import(main.href);
} else {
  const node = fileURLToPath(
    new URL("../../../.toolchain/node_modules/.bin/node", import.meta.url),
  );
  if (existsSync(node)) {
    carryOnWith(node);
  } else {
    process.stderr.write(
      `speckit needs Node ${NEEDED} or newer, this is ${process.version}.\n` +
        "  Install it, or run `npm start` once in the checkout: that brings one along.\n",
    );
    process.exitCode = 78;
  }
}

/**
 * Half of a short command's time is reading our sources and its libraries: Node keeps what came of
 * it, in the user's own folder of such things, and does without where there is none.
 */
function rememberCompiledCode() {
  const home = homedir();
  if (existsSync(home)) {
    const cache = process.env.XDG_CACHE_HOME || join(home, ".cache");
    nodeModule.enableCompileCache(join(cache, "speckit"));
  }
}

/** The IPC channel is a lifeline: when this process is killed, the child sees it close and ends too. */
function carryOnWith(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  child.on("error", (error) => {
    process.stderr.write(`speckit: ${node} could not be started: ${error.message}\n`);
    process.exitCode = 78;
  });
  // A terminal sends Ctrl-C to both; the child decides what it means.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
