import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { processRuntime } from "../../../src/adapters/process/index.ts";
import {
  eventually,
  processesWith,
  runJob,
  shellSpec,
  startJob,
  uniqueSeconds,
  withFolder,
} from "./run-job.ts";

const runtime = processRuntime({ termGraceMs: 300 });
const uncontained = processRuntime({ termGraceMs: 300, containment: "process_group" });

describe.each([
  ["in a PID namespace", runtime, true],
  ["in a process group", uncontained, false],
] as const)("process runtime, %s", (_, subject, contained) => {
  test("reports what it can promise", async () => {
    const report = await subject.report();
    expect(report).toMatchObject({ name: "process", contained });
    expect(report.isolation).toContain("no file isolation");
  });

  test("tells exit codes as they are, those over 128 too", async () => {
    await withFolder(async (folder) => {
      for (const exitCode of [0, 3, 143, 255]) {
        const { exit } = await runJob(subject, shellSpec(folder, `exit ${exitCode}`));
        expect(exit).toMatchObject({ exitCode, signal: null });
        expect(exit).not.toHaveProperty("endedBy");
      }
    });
  });

  test("tells the signal that ended the agent", async () => {
    await withFolder(async (folder) => {
      for (const signal of ["SIGTERM", "SIGKILL", "SIGSEGV"]) {
        const { exit } = await runJob(subject, shellSpec(folder, `kill -${signal.slice(3)} $$`));
        expect(exit).toMatchObject({ exitCode: null, signal });
        expect(exit).not.toHaveProperty("endedBy");
      }
    });
  });

  test("gives the base environment and the spec's, and nothing else", async () => {
    process.env.SPECKIT_TEST_PLANTED_SECRET = "planted";
    try {
      await withFolder(async (folder) => {
        const env = { PATH: "/usr/bin:/bin", "odd.name": "1", BASH_ENV: "/nonexistent", _: "mine" };
        const { stdout } = await runJob(
          subject,
          shellSpec(folder, "", { argv: ["cat", "/proc/self/environ"], env }),
        );
        const home = join(folder, ".home");
        const whole = { ...env, HOME: home, LANG: "C.UTF-8", TMPDIR: join(home, "tmp") };
        const seen = stdout.toString().split("\0").filter(Boolean).sort();
        expect(seen).toEqual(
          Object.entries(whole)
            .map((pair) => pair.join("="))
            .sort(),
        );
      });
    } finally {
      delete process.env.SPECKIT_TEST_PLANTED_SECRET;
    }
  });

  test("takes PATH from the worker unless the spec has its own", async () => {
    await withFolder(async (folder) => {
      const { lines } = await runJob(subject, shellSpec(folder, 'echo "$PATH"', { env: {} }));
      expect(lines).toEqual([process.env.PATH]);
    });
  });

  test("writes the files of the spec into HOME, and refuses any outside", async () => {
    await withFolder(async (folder) => {
      const files = [{ path: ".agent/config.toml", content: "a = 1\n" }];
      const script =
        'cat "$HOME/.agent/config.toml"; stat -c %a "$HOME/.agent/config.toml" "$TMPDIR"';
      const { lines } = await runJob(subject, shellSpec(folder, script, { files }));
      expect(lines).toEqual(["a = 1", "600", "700"]);
      for (const path of ["../out", "/etc/out", "", ".", "a/../../out"]) {
        const spec = shellSpec(folder, "exit", { files: [{ path, content: "" }] });
        await expect(runJob(subject, spec)).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
      }
    });
  });

  test("runs in the workspace and passes arguments untouched", async () => {
    await withFolder(async (folder) => {
      const argv = ["printf", "%s|", "a b", "$HOME", "*", "--", "-x", ""] as const;
      const { stdout } = await runJob(subject, shellSpec(folder, "", { argv: [...argv] }));
      expect(stdout.toString()).toBe("a b|$HOME|*|--|-x||");
      const { lines } = await runJob(subject, shellSpec(folder, "pwd"));
      expect(lines).toEqual([folder]);
    });
  });

  test("delivers stdin to its end", async () => {
    await withFolder(async (folder) => {
      const stdin = "prompt ü\n".repeat(50_000);
      const { stdout } = await runJob(subject, shellSpec(folder, "cat", { stdin }));
      expect(stdout.toString()).toBe(stdin);
    });
  });

  test("an agent that never reads a large stdin ends as it likes", async () => {
    await withFolder(async (folder) => {
      const stdin = "x".repeat(1_000_000);
      const { exit } = await runJob(subject, shellSpec(folder, "exit 7", { stdin }));
      expect(exit).toMatchObject({ exitCode: 7, signal: null });
      const closed = shellSpec(folder, "exec <&-; sleep 0.2; exit 8", { stdin });
      expect((await runJob(subject, closed)).exit).toMatchObject({ exitCode: 8, signal: null });
    });
  });

  test("stdout, stderr and lines arrive, and the tail of stderr is kept", async () => {
    await withFolder(async (folder) => {
      const script = "printf 'one\\ntwo\\n'; printf 'e%.0s' {1..20000} >&2; printf end >&2";
      const { exit, stdout, stderr, lines } = await runJob(subject, shellSpec(folder, script));
      expect(stdout.toString()).toBe("one\ntwo\n");
      expect(lines).toEqual(["one", "two"]);
      expect(stderr.length).toBe(20_003);
      expect(exit.stderrTail).toHaveLength(16 * 1024);
      expect(exit.stderrTail.endsWith("eend")).toBe(true);
    });
  });

  test("a deadline ends an agent that ignores SIGTERM, and all it started", async () => {
    await withFolder(async (folder) => {
      const seconds = uniqueSeconds();
      const script = `trap '' TERM; sleep ${seconds} & while :; do echo on; sleep 0.05; done`;
      const { exit } = await runJob(subject, shellSpec(folder, script, { deadlineMs: 400 }));
      expect(exit).toMatchObject({ exitCode: null, signal: "SIGKILL", endedBy: "deadline" });
      expect(exit.durationMs).toBeGreaterThanOrEqual(700);
      expect(await processesWith(seconds)).toEqual([]);
    });
  });

  test("SIGTERM comes first, and its answer is told", async () => {
    await withFolder(async (folder) => {
      const script = "trap 'echo bye; exit 9' TERM; while :; do sleep 0.05; done";
      const { exit, lines } = await runJob(subject, shellSpec(folder, script, { deadlineMs: 300 }));
      expect(exit).toMatchObject({ exitCode: 9, endedBy: "deadline" });
      expect(lines).toEqual(["bye"]);
    });
  });

  test("silence ends an agent; a byte on either output puts it off", async () => {
    await withFolder(async (folder) => {
      const script =
        "for i in 1 2 3 4 5 6; do sleep 0.2; echo >&2; done; for i in 1 2 3; do sleep 0.2; echo; done; sleep 60";
      const { exit } = await runJob(subject, shellSpec(folder, script, { silenceMs: 600 }));
      expect(exit.endedBy).toBe("silence");
      expect(exit.durationMs).toBeGreaterThan(2_300);
    });
  });

  test("a silent agent that is known to be at work is let be", async () => {
    await withFolder(async (folder) => {
      const quiet = { onStdout: async () => {}, onStderr: async () => {}, onLine: () => {} };
      const spec = shellSpec(folder, "sleep 1.5; exit 5", { silenceMs: 600 });
      const job = await startJob(subject, spec, quiet);
      const timer = setInterval(() => job.heard?.(), 100);
      try {
        expect(await job.exit).toMatchObject({ exitCode: 5 });
      } finally {
        clearInterval(timer);
      }
    });
  });

  test("output held back by the listener is not silence", async () => {
    await withFolder(async (folder) => {
      const spec = shellSpec(folder, "yes | head -c 200000; exit 4", { silenceMs: 150 });
      let isFirst = true;
      const slow = {
        onStdout: async () => {
          if (isFirst) {
            isFirst = false;
            await new Promise((resolve) => setTimeout(resolve, 600));
          }
        },
        onStderr: async () => {},
        onLine: () => {},
      };
      const job = await startJob(subject, spec, slow);
      expect(await job.exit).toMatchObject({ exitCode: 4 });
    });
  });

  test("an abort ends an agent; one aborted before never starts", async () => {
    await withFolder(async (folder) => {
      const abort = new AbortController();
      const spec = shellSpec(folder, "echo up; sleep 60");
      const hooks = { signal: abort.signal, onLine: () => abort.abort() };
      const { exit } = await runJob(subject, spec, hooks);
      expect(exit).toMatchObject({ signal: "SIGTERM", endedBy: "abort" });
      const before = await runJob(subject, spec, { signal: AbortSignal.abort() });
      expect(before.exit).toMatchObject({ exitCode: null, endedBy: "abort", durationMs: 0 });
      expect(before.lines).toEqual([]);
    });
  });

  test("a job that is not kept alive ends by itself, one that is goes on", async () => {
    await withFolder(async (folder) => {
      const script = "while :; do echo on; sleep 0.1; done";
      const { exit } = await runJob(subject, shellSpec(folder, script, { keepAliveMs: 1_800 }));
      expect(exit).toMatchObject({ exitCode: null, signal: "SIGKILL", endedBy: "keep_alive" });
      expect(exit.durationMs).toBeGreaterThan(900);
      expect(exit.durationMs).toBeLessThan(2_500);

      const noTime = await runJob(subject, shellSpec(folder, script, { keepAliveMs: 0 }));
      expect(noTime.exit.endedBy).toBe("keep_alive");
      expect(noTime.exit.durationMs).toBeLessThan(900);

      const quiet = { onStdout: async () => {}, onStderr: async () => {}, onLine: () => {} };
      const spec = shellSpec(folder, "sleep 2.5; exit 5", { keepAliveMs: 1_800 });
      const job = await startJob(subject, spec, quiet);
      const timer = setInterval(() => job.keepAlive(1_000), 200);
      try {
        expect(await job.exit).toMatchObject({ exitCode: 5 });
      } finally {
        clearInterval(timer);
      }
      job.keepAlive(1_000);
    });
  });

  test("children in the background are gone after a normal exit", async () => {
    await withFolder(async (folder) => {
      const seconds = uniqueSeconds();
      const { exit } = await runJob(subject, shellSpec(folder, `sleep ${seconds} & echo; exit 0`));
      expect(exit).toMatchObject({ exitCode: 0, signal: null });
      expect(await processesWith(seconds)).toEqual([]);
    });
  });

  test("kill 0 in an agent reaches its own group alone", async () => {
    await withFolder(async (folder) => {
      const script = "trap 'exit 6' TERM; kill -TERM 0; sleep 5";
      const { exit } = await runJob(subject, shellSpec(folder, script));
      expect(exit).toMatchObject({ exitCode: 6, signal: null });
    });
  });

  test("an agent that stops itself is still ended", async () => {
    await withFolder(async (folder) => {
      const spec = shellSpec(folder, "kill -STOP $$", { deadlineMs: 300 });
      const { exit } = await runJob(subject, spec);
      // Continued to be ended, it may get to the SIGTERM it was sent before.
      expect(["SIGTERM", "SIGKILL"]).toContain(exit.signal);
      expect(exit.endedBy).toBe("deadline");
    });
  });

  test("a listener that fails ends the agent and is heard", async () => {
    await withFolder(async (folder) => {
      const seconds = uniqueSeconds();
      const broken = {
        onStdout: () => Promise.reject(new Error("no room")),
        onStderr: async () => {},
        onLine: () => {},
      };
      const spec = shellSpec(folder, `echo; sleep ${seconds}`);
      const job = await startJob(subject, spec, broken);
      await expect(job.exit).rejects.toThrow("no room");
      expect(await processesWith(seconds)).toEqual([]);
    });
  });

  test("a missing or unusable executable is named", async () => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, "folder"));
      await writeFile(join(folder, "plain"), "text");
      await writeFile(join(folder, "orphan"), "#!/no/such/interpreter\n");
      await writeFile(join(folder, "looks-up"), "#!/usr/bin/env no-such-program\n");
      await chmod(join(folder, "orphan"), 0o755);
      await chmod(join(folder, "looks-up"), 0o755);
      const cases = [
        ["no-such-agent", "was not found in PATH (/usr/local/bin:/usr/bin:/bin)"],
        ["./gone", "gone"],
        ["./folder", "is not a file"],
        ["./plain", "may not be executed"],
        ["./orphan", "/no/such/interpreter"],
        ["./looks-up", "no-such-program"],
      ] as const;
      for (const [name, words] of cases) {
        await expect(
          runJob(subject, shellSpec(folder, "", { argv: [name] })),
        ).rejects.toMatchObject({
          code: "AGENT_NOT_STARTED",
          message: expect.stringContaining(words),
        });
      }
    });
  });

  test("a program in the workspace is never found by its bare name", async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, "planted"), "#!/bin/sh\n");
      await chmod(join(folder, "planted"), 0o755);
      const spec = shellSpec(folder, "", { argv: ["planted"], env: { PATH: ":.:/usr/bin" } });
      await expect(runJob(subject, spec)).rejects.toMatchObject({ code: "AGENT_NOT_STARTED" });
    });
  });
});

describe("process runtime, in a PID namespace", () => {
  test("what called setsid is gone when exit settles", async () => {
    await withFolder(async (folder) => {
      const seconds = uniqueSeconds();
      const script = `setsid sleep ${seconds} >/dev/null 2>&1 & echo up; sleep 60`;
      const abort = new AbortController();
      const look = () => processesWith(seconds);
      const running = runJob(runtime, shellSpec(folder, script), { signal: abort.signal });
      await eventually("the detached child runs", 5_000, look, (pids) => pids.length > 0);
      abort.abort();
      await running;
      expect(await processesWith(seconds)).toEqual([]);
    });
  });

  test("orphans are buried while the agent runs", async () => {
    await withFolder(async (folder) => {
      const script = `
        for i in 1 2 3; do (setsid true &); done
        for i in $(seq 100); do
          if ! grep -qs '^State:.*zombie' /proc/[0-9]*/status; then echo buried; exit; fi
          sleep 0.1
        done`;
      const { lines } = await runJob(runtime, shellSpec(folder, `sleep 0.1; ${script}`));
      expect(lines).toEqual(["buried"]);
    });
  });
});

describe("process runtime, in a process group", () => {
  test("what escaped and holds the output open does not hold up the exit", async () => {
    await withFolder(async (folder) => {
      const seconds = uniqueSeconds();
      try {
        const { exit } = await runJob(
          uncontained,
          shellSpec(folder, `setsid sleep ${seconds} & sleep 0.3; exit 2`),
        );
        expect(exit).toMatchObject({ exitCode: 2 });
        expect(await processesWith(seconds)).toHaveLength(1);
      } finally {
        for (const pid of await processesWith(seconds)) {
          process.kill(pid, "SIGKILL");
        }
      }
    });
  });
});
