import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { execa } from "execa";
import type { OpenFleet } from "./fleet.ts";
import { openServices } from "./open-services.ts";
import { startWorkers } from "./start-workers.ts";

/** Two worker processes on the configured services, or on a private broker and an embedded database. */
export const openProcessFleet: OpenFleet = async (folder, undo, say) => {
  const stateDir = resolve(folder, "state");
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const [services, remote] = await Promise.all([
    openServices(stateDir, undo),
    makeSampleRemote(folder),
  ]);
  say(
    `fleet: ${services.description} · agent scripted (a stand-in, no model) · two worker processes, no file isolation`,
  );
  const workers = await startWorkers({
    count: 2,
    folder,
    services,
    undo,
    env: {
      SPECKIT_HOME: stateDir,
      SPECKIT_REPOSITORIES: `file://${folder}/*`,
      // Its agent is a program of this checkout.
      SPECKIT_RUNTIME: "process",
    },
  });
  for (const { name, pid, logPath } of workers) {
    say(`${name} ready (pid ${pid}, log ${logPath})`);
  }
  return {
    amqpUrl: services.amqpUrl,
    prefix: process.env.SPECKIT_AMQP_PREFIX || "speckit",
    repository: `file://${remote}`,
    logOf: async (branch) =>
      (await execa("git", ["-C", remote, "log", "--oneline", branch])).stdout,
    drain: () => Promise.all(workers.map((worker) => worker.drain())),
  };
};
