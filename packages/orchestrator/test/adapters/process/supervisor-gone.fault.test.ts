import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { eventually, processesWith, uniqueSeconds, withFolder } from "./run-job.ts";

const program = fileURLToPath(new URL("./supervisor-program.ts", import.meta.url));

async function withSupervisor(
  options: { readonly containment: string; readonly keepAliveMs: number; readonly script: string },
  use: (supervisor: ChildProcess & { readonly pid: number }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const { containment, keepAliveMs, script } = options;
    const supervisor = spawn(
      process.execPath,
      [program, containment, String(keepAliveMs), folder, script],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const exited = once(supervisor, "exit");
    try {
      await use(supervisor as ChildProcess & { readonly pid: number });
    } finally {
      supervisor.kill("SIGKILL");
      await exited;
    }
  });
}

describe.each(["auto", "process_group"])("with containment %s", (containment) => {
  test("the agent of a killed supervisor is gone within a second", async () => {
    const seconds = uniqueSeconds();
    // Under `auto` not even what called setsid stays; a process group can only promise its members.
    const detach = containment === "auto" ? `setsid sleep ${seconds} &` : "";
    const script = `${detach} sleep ${seconds} & sleep ${seconds}`;
    const expected = containment === "auto" ? 3 : 2;
    const look = () => processesWith(seconds);
    await withSupervisor({ containment, keepAliveMs: 60_000, script }, async (supervisor) => {
      await eventually("the agent runs", 10_000, look, (pids) => pids.length === expected);
      supervisor.kill("SIGKILL");
      await eventually("the agent is gone", 1_000, look, (pids) => pids.length === 0);
    });
  });

  test("the agent of a frozen supervisor is gone when its time runs out, not before", async () => {
    const seconds = uniqueSeconds();
    const look = () => processesWith(seconds);
    const script = `sleep ${seconds} & sleep ${seconds}`;
    // Kept in whole seconds, rounded down: from 2 s, before the first touch, to 3.
    await withSupervisor({ containment, keepAliveMs: 3_000, script }, async (supervisor) => {
      await eventually("the agent runs", 10_000, look, (pids) => pids.length === 2);
      supervisor.kill("SIGSTOP");
      const frozenMs = performance.now();
      await eventually("the agent is gone", 6_000, look, (pids) => pids.length === 0);
      const livedMs = performance.now() - frozenMs;
      expect(livedMs).toBeGreaterThan(1_000);
      expect(livedMs).toBeLessThan(3_600);

      // Thawed, the supervisor learns why.
      let said = "";
      supervisor.stdout?.on("data", (piece) => {
        said += piece;
      });
      supervisor.kill("SIGCONT");
      await once(supervisor, "exit");
      expect(JSON.parse(said)).toMatchObject({ signal: "SIGKILL", endedBy: "keep_alive" });
    });
  });
});
