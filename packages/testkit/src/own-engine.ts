import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "@speckit/private-broker";
import { selfSignedCertificate } from "./certificate.ts";
import { processesWith } from "./process-tree.ts";
import { type TestEngine, type TestImage, testEngine } from "./test-engine.ts";

const UP_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 30_000;

/** An engine of the test's own, to be killed, stopped, started again and lost. */
export interface OwnEngine extends TestEngine, AsyncDisposable {
  /** Where it listens on TCP, to whoever has the certificates of a folder, as DOCKER_CERT_PATH has them. */
  readonly overTls: { readonly host: string; readonly certPath: string };
  /** Has it take images from another engine, by the names they have there. */
  readonly load: (from: TestEngine, images: readonly TestImage[]) => Promise<void>;
  /** Ends the daemon as an operator would (SIGTERM), or as a power cut does; resolves when it is gone. */
  readonly stop: (signal: "SIGTERM" | "SIGKILL") => Promise<void>;
  readonly start: () => Promise<void>;
  /** Ends the daemon, what it has started and every container at once, and removes all it has kept. */
  readonly vanish: () => Promise<void>;
}

/**
 * Starts a `dockerd` with folders, socket and bridge of its own; needs root. Its bridge has an address
 * and leads nowhere: containers are without a network, or on the machine's. (An engine without any
 * bridge would remove the `docker0` of another one on this machine.)
 */
export async function openOwnEngine(): Promise<OwnEngine> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "speckit-engine-"));
  undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const bridge = await makeBridge();
  undo.defer(async () => void (await run("ip", ["link", "delete", bridge])));
  const dockerHost = `unix://${join(folder, "docker.sock")}`;
  const engine = testEngine({ ...process.env, DOCKER_HOST: dockerHost });
  const overTls = {
    host: `tcp://127.0.0.1:${await freePort()}`,
    certPath: await makeCertificates(join(folder, "tls")),
  };
  const certificate = (name: string) => join(overTls.certPath, `${name}.pem`);
  let daemon: ChildProcess | undefined;

  const isUp = () => daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null;

  async function start(): Promise<void> {
    // What a power cut leaves too: where nobody buries orphans, its process seems to be alive.
    await rm(join(folder, "exec/containerd/containerd.pid"), { force: true });
    const log = openSync(join(folder, "dockerd.log"), "a");
    daemon = spawn(
      "dockerd",
      [
        ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
        ...["--pidfile", join(folder, "pid"), "-H", dockerHost, "--bridge", bridge],
        ...["-H", overTls.host, "--tlsverify", "--tlscacert", certificate("ca")],
        ...["--tlscert", certificate("cert"), "--tlskey", certificate("key")],
        ...["--iptables=false", "--ip-masq=false", "--shutdown-timeout=3"],
      ],
      { stdio: ["ignore", log, log], detached: true },
    );
    closeSync(log);
    const startedMs = performance.now();
    for (;;) {
      try {
        await engine.docker(["version"]);
        return;
      } catch (error) {
        if (performance.now() - startedMs > UP_WITHIN_MS || !isUp()) {
          const words = await readFile(join(folder, "dockerd.log"), "utf8").catch(() => "");
          throw new Error(`dockerd is not up: ${words.slice(-2_000)}`, { cause: error });
        }
      }
      await sleep(100);
    }
  }

  async function stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (daemon !== undefined && isUp()) {
      const gone = once(daemon, "exit");
      daemon.kill(signal);
      await gone;
    }
  }

  async function vanish(): Promise<void> {
    await stop("SIGKILL");
    await endProcesses(folder);
    for (const place of await mountsBelow(folder)) {
      await run("umount", ["--lazy", place]).catch(() => {});
    }
    await rm(join(folder, "data"), { recursive: true, force: true, maxRetries: 5 });
  }

  undo.defer(vanish);
  await start();
  const owned = undo.move();
  return {
    ...engine,
    overTls,
    start,
    stop,
    vanish,
    async load(from, images) {
      const saved = spawn("docker", ["save", ...images.map(from.image)], {
        env: { ...process.env, DOCKER_HOST: from.dockerHost },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const loaded = spawn("docker", ["load"], {
        env: { ...process.env, DOCKER_HOST: dockerHost },
        stdio: [saved.stdout, "ignore", "inherit"],
      });
      const codes = await Promise.all([once(saved, "exit"), once(loaded, "exit")]);
      if (codes.some(([code]) => code !== 0)) {
        throw new Error(`docker save and docker load ended with ${codes.join(" and ")}`);
      }
    },
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
      await owned.disposeAsync();
    },
  };
}

const run = promisify(execFile);

/** One certificate for both sides, its own authority. */
async function makeCertificates(folder: string): Promise<string> {
  const { key, certificate } = selfSignedCertificate();
  await mkdir(folder);
  await writeFile(join(folder, "ca.pem"), certificate);
  await writeFile(join(folder, "cert.pem"), certificate);
  await writeFile(join(folder, "key.pem"), key, { mode: 0o600 });
  return folder;
}

/** Its address is of the range that the tests' private engines have theirs from. */
async function makeBridge(): Promise<string> {
  // As long as the name of an interface may be.
  const name = `speckit-o${randomBytes(3).toString("hex")}`;
  const address = `10.213.${50 + randomInt(200)}.1/24`;
  await run("ip", ["link", "add", "name", name, "type", "bridge"]);
  await run("ip", ["address", "add", address, "dev", name]);
  await run("ip", ["link", "set", name, "up"]);
  return name;
}

/** Each process an engine starts has its folder in its arguments; what runs in containers has such a parent. */
async function endProcesses(folder: string): Promise<void> {
  const deadlineMs = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const engines = new Set(await processesWith(`${folder}/`));
    const all = [...engines, ...(await childrenOf(engines))];
    if (all.length === 0) {
      return;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`Processes of an engine do not end: ${all.join(", ")}`);
    }
    for (const pid of all) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It is gone.
      }
    }
    await sleep(50);
  }
}

async function childrenOf(parents: ReadonlySet<number>): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).map(Number).filter(Number.isInteger)) {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    if (parents.has(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]))) {
      found.push(pid);
    }
  }
  return found;
}

/** Deepest first. */
async function mountsBelow(folder: string): Promise<readonly string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const places = mounts.map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`)).reverse();
}
