import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { connectDocker, pingEngine } from "../../../src/adapters/docker/index.ts";

const UP_WITHIN_MS = 60_000;

/** An engine of the test's own, to be killed, stopped and started again. Needs root and `dockerd`. */
export interface OwnEngine extends AsyncDisposable {
  readonly docker: ReturnType<typeof connectDocker>;
  /** Ends it as an operator would (SIGTERM), or as a power cut does; resolves when it is gone. */
  readonly stop: (signal: "SIGTERM" | "SIGKILL") => Promise<void>;
  readonly start: () => Promise<void>;
}

export async function openOwnEngine(): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), "speckit-engine-"));
  const socket = join(folder, "docker.sock");
  const docker = connectDocker({ host: `unix://${socket}` });
  let daemon: ChildProcess | undefined;

  async function start(): Promise<void> {
    // What a power cut leaves too: where nobody buries orphans, its process seems to be alive.
    await rm(join(folder, "exec/containerd/containerd.pid"), { force: true });
    const log = openSync(join(folder, "dockerd.log"), "a");
    daemon = spawn(
      "dockerd",
      [
        ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
        ...["--pidfile", join(folder, "pid"), "-H", `unix://${socket}`],
        ...["--bridge=none", "--iptables=false", "--shutdown-timeout=3"],
      ],
      { stdio: ["ignore", log, log], detached: true },
    );
    const startedMs = performance.now();
    for (;;) {
      try {
        await pingEngine(docker);
        return;
      } catch (error) {
        if (performance.now() - startedMs > UP_WITHIN_MS || daemon.exitCode !== null) {
          const words = await readFile(join(folder, "dockerd.log"), "utf8").catch(() => "");
          throw new Error(`dockerd is not up: ${words.slice(-2_000)}`, { cause: error });
        }
      }
      await sleep(100);
    }
  }

  async function stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null) {
      const gone = once(daemon, "exit");
      daemon.kill(signal);
      await gone;
    }
  }

  await start();
  return {
    docker,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
      await endContainers(folder);
      for (const place of await mountsBelow(folder)) {
        await execa("umount", ["--lazy", place], { reject: false });
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Containers whose engine was killed go on: each has a parent with the engine's folder in its arguments. */
async function endContainers(folder: string): Promise<void> {
  const parents = new Set<number>();
  const processes: { readonly pid: number; readonly parent: number }[] = [];
  for (const pid of (await readdir("/proc")).map(Number).filter(Number.isInteger)) {
    const words = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    processes.push({ pid, parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) });
    if (words.includes("containerd-shim") && words.includes(`${folder}/`)) {
      parents.add(pid);
    }
  }
  for (const { pid, parent } of processes) {
    if (parents.has(parent) || parents.has(pid)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It is gone.
      }
    }
  }
}

/** Deepest first. */
async function mountsBelow(folder: string): Promise<readonly string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const places = mounts.map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`)).reverse();
}
