import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PrivateBrokerError, startPrivateBroker } from "../src/index.ts";

/** Processes whose environment or arguments name the folder, read from /proc; the dead do not count. */
function processesOf(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const read = (file: string) => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, "latin1").replaceAll("\0", " ");
        } catch {
          return "";
        }
      };
      const mentions = `${read("environ")} ${read("cmdline")}`.includes(folder);
      const isZombie = /^State:\s+Z/m.test(read("status"));
      return mentions && !isZombie ? [`${pid} ${read("cmdline").slice(0, 80)}`] : [];
    });
}

async function untilNothingIsLeft(folder: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const left = [...processesOf(folder), ...(existsSync(folder) ? [folder] : [])];
    if (left.length === 0) {
      return;
    }
    if (performance.now() > deadline) {
      throw new Error(`Still there after 10 s: ${left.join("; ")}`);
    }
    await sleep(50);
  }
}

describe("a private broker", () => {
  test("answers, keeps its data over a restart unless it is wiped, and leaves nothing when it stops", async () => {
    const broker = await startPrivateBroker();
    const { pid, url, folder } = broker;
    // The broker, epmd and the folder's remover: the search does find what is there.
    expect(processesOf(folder).length).toBeGreaterThanOrEqual(3);
    expect(await broker.control(["list_vhosts", "name"])).toContain("/");
    await broker.restart({ kill: true });
    expect(broker.pid).not.toBe(pid);
    expect(broker.url).toBe(url);
    await broker.control(["add_vhost", "mine"]);
    await broker.restart();
    expect(await broker.control(["list_vhosts", "name"])).toContain("mine");
    await broker.restart({ kill: true, wipe: true });
    expect(await broker.control(["list_vhosts", "name"])).not.toContain("mine");
    expect(broker.url).toBe(url);
    await broker.stop();
    await broker.stop();
    await untilNothingIsLeft(folder);
  }, 180_000);

  test("does not outlive a process that is killed with SIGKILL", async () => {
    const owner = spawn(
      process.execPath,
      [fileURLToPath(new URL("broker-owner.ts", import.meta.url))],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [folder] = await once(createInterface(owner.stdout), "line");
    expect(processesOf(folder).length).toBeGreaterThanOrEqual(3);
    owner.kill("SIGKILL");
    await untilNothingIsLeft(folder);
  });

  test("that is not installed says which package is missing", async () => {
    const starting = startPrivateBroker({ binaries: "/nowhere" });
    await expect(starting).rejects.toThrow(PrivateBrokerError);
    await expect(starting).rejects.toMatchObject({
      code: "NOT_INSTALLED",
      message: expect.stringMatching(
        /\/nowhere\/rabbitmq-server.*apt-get install .*rabbitmq-server/,
      ),
    });
  });

  test("that does not come up in time says so, with its log, and leaves nothing", async () => {
    const before = new Set(readdirSync("/tmp"));
    await expect(startPrivateBroker({ startWithinMs: 300 })).rejects.toMatchObject({
      code: "NOT_STARTED",
      message: expect.stringContaining("not ready after 300 ms"),
    });
    expect(
      readdirSync("/tmp").filter((name) => name.startsWith("speckit-broker-") && !before.has(name)),
    ).toEqual([]);
  });
});
