import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JobSpec } from "../../../src/ports/job-runtime.ts";
import {
  type DockerBench,
  limitsOf,
  listening,
  openDockerBench,
  runInDocker,
  signalsOf,
} from "./docker-bench.ts";

let bench: DockerBench;
beforeAll(async () => {
  bench = await openDockerBench();
});
afterAll(() => bench?.[Symbol.asyncDispose]());
afterEach(async () => {
  const { engine } = bench.runtime();
  for (const job of await engine.list()) {
    await engine.remove(job);
  }
  expect(await bench.leftovers()).toEqual([]);
});

const NEVER = new AbortController().signal;
const MEBIBYTE = 1024 * 1024;

describe("a job in a container", () => {
  test("gets its tree, HOME, input and environment, and what it leaves comes back", async () => {
    const spec = await bench.shell(
      `cat > input; env | sort > environment; cat tracked > copy; rm tracked; ls -A $HOME/.agent > home
       echo '{"id":1}' > $HOME/.agent/sessions.jsonl; mkdir -p sub; ln -s ../copy sub/link
       mkfifo pipe; pwd; id -u; printf 'x' > "$(printf 'latin-\\351')"; chmod 000 sub`,
      {
        stdin: "what to do\n".repeat(100_000),
        env: { TOLD: "yes" },
        files: [{ path: ".agent/config.toml", content: "model = 1\n" }],
        keep: [".agent"],
        directory: "inner",
      },
    );
    mkdirSync(join(spec.workspace, "inner/.git/refs"), { recursive: true });
    mkdirSync(join(spec.workspace, ".git"));
    writeFileSync(join(spec.workspace, ".git/HEAD"), "ref: refs/heads/main\n");
    writeFileSync(join(spec.workspace, "inner/tracked"), "kept\n");
    symlinkSync("inner/tracked", join(spec.workspace, "link"));
    const { exit, stdout } = await runInDocker(bench.runtime(), spec);
    expect(exit).toMatchObject({ exitCode: 0, signal: null, stderrTail: "" });
    expect(stdout.toString()).toBe("/speckit/workspace/inner\n10001\n");
    const inner = join(spec.workspace, "inner");
    const read = (name: string) => readFileSync(join(inner, name), "utf8");
    expect(read("input")).toBe(spec.stdin);
    expect(read("copy")).toBe("kept\n");
    expect(read("home")).toBe("config.toml\n");
    expect(readlinkSync(join(inner, "sub/link"))).toBe("../copy");
    expect(readlinkSync(join(spec.workspace, "link"))).toBe("inner/tracked");
    expect(
      read("environment")
        .split("\n")
        .filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line)),
    ).toEqual([
      "HOME=/speckit/home",
      "LANG=C.UTF-8",
      expect.stringMatching(/^PATH=/),
      "TMPDIR=/tmp",
      "TOLD=yes",
      "",
    ]);
    const names = readdirSync(inner, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    expect(names).toContain("latin-\xe9");
    expect(names).not.toContain("tracked");
    expect(exit.leftOut).toEqual([{ path: "inner/pipe", what: "a named pipe" }]);
    expect(exit.kept?.map(({ path }) => path).sort()).toEqual([
      ".agent/config.toml",
      ".agent/sessions.jsonl",
    ]);
  });

  test("may do nothing but what it is for", async () => {
    const spec = await bench.shell(
      `touch /usr/x 2>/dev/null || echo read-only; touch /run/speckit-gateway/x 2>/dev/null || echo gateway read-only
       echo 'echo ran' > /tmp/x && bash /tmp/x; ls /sys/class/net; grep Cap /proc/self/status | grep -v 0000000000000000
       grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -n; ls -A /speckit; cat /proc/1/environ 2>/dev/null | grep -a token`,
    );
    const { stdout, containerId } = await runInDocker(
      bench.runtime({ token: "secret-token" }),
      spec,
    );
    expect(stdout.toString().split("\n")).toEqual([
      "read-only",
      "gateway read-only",
      "ran",
      "lo",
      "NoNewPrivs:\t1",
      "0",
      "8192",
      "home",
      "workspace",
      "",
    ]);
    const facts = JSON.stringify(await bench.docker.getContainer(containerId).inspect());
    expect(facts).not.toContain("secret-token");
    expect(facts).toContain(bench.deploymentId);
  });

  test("is found again by another supervisor: one start, one container, its output byte for byte", async () => {
    const before = await bench.ticketsTaken();
    const script = `echo up; for i in 1 2 3 4 5 6 7 8; do sleep 0.3; head -c ${5 * MEBIBYTE} /dev/urandom | tee -a kept; done; printf end | tee -a kept`;
    const spec = await bench.shell(script);
    const letGo = new AbortController();
    const first = await runInDocker(bench.runtime(), spec, {
      signals: { letGo: letGo.signal },
      onLine: (line) => line === "up" && setTimeout(() => letGo.abort(), 1_000),
    });
    expect(first.exit.isLeft).toBe(true);
    const { listener, heard } = listening();
    const { engine } = bench.runtime();
    const job = await engine.attach(first.containerId, spec, listener, limitsOf(), signalsOf());
    expect(await job?.exit).toMatchObject({ exitCode: 0 });
    const { stdout } = heard();
    expect(stdout.length).toBe(3 + 40 * MEBIBYTE + 3);
    const kept = readFileSync(join(spec.workspace, "kept"));
    expect(hashOf(stdout.subarray(3))).toBe(hashOf(kept));
    expect(stdout.subarray(0, first.stdout.length).equals(first.stdout)).toBe(true);
    expect(await bench.ticketsTaken()).toBe(before + 1);
    expect((await engine.list(spec.runId)).map(({ containerId }) => containerId)).toEqual([
      first.containerId,
    ]);
  });

  test("that ended while nobody looked is told as it ended, also when somebody starts it again", async () => {
    const before = await bench.ticketsTaken();
    const spec = await bench.shell("echo once | tee -a kept; exit 7");
    const runtime = bench.runtime();
    const { containerId } = await runInDocker(runtime, spec);
    await bench.docker.getContainer(containerId).start();
    await bench.docker.getContainer(containerId).wait();
    const { listener, heard } = listening();
    const job = await runtime.engine.attach(containerId, spec, listener, limitsOf(), signalsOf());
    expect(await job?.exit).toMatchObject({ exitCode: 7, stderrTail: "" });
    expect(heard().stdout.toString()).toBe("once\n");
    expect(readFileSync(join(spec.workspace, "kept"), "utf8")).toBe("once\n");
    expect(await bench.ticketsTaken()).toBe(before + 1);
  });

  test("without a start ticket never runs; one that is not live any more is ended", async () => {
    const spec = await bench.shell("echo ran | tee ran; sleep 600");
    const refused = await runInDocker(bench.runtime({ token: "refuse" }), spec);
    expect(refused.exit).toMatchObject({ exitCode: null, endedBy: "start_refused" });
    expect(refused.stdout.toString()).toBe("");
    expect(readdirSync(spec.workspace)).toEqual([]);
    const fenced = await runInDocker(
      bench.runtime({ token: "fence" }),
      await bench.shell("echo ran; sleep 600"),
    );
    expect(fenced.exit).toMatchObject({ exitCode: null, endedBy: "fenced" });
    expect(fenced.stdout.toString()).toBe("ran\n");
  });

  test("with too little space on its engine is not started, and says so", async () => {
    const spec = await bench.shell("echo ran");
    const runtime = bench.runtime({ limits: { freeBytesFloor: 2 ** 50 } });
    await expect(runInDocker(runtime, spec)).rejects.toMatchObject({ code: "ENGINE_NO_SPACE" });
  });

  test("that somebody removes is no more", async () => {
    const spec = await bench.shell("echo up; sleep 600");
    const runtime = bench.runtime();
    const run = runInDocker(runtime, spec, { onLine: () => void runtime.engine.remove(spec) });
    expect((await run).exit).toMatchObject({ exitCode: null, endedBy: "engine_stopped" });
  });

  test("that is prepared again by another worker before its start carries that one's input", async () => {
    const spec = await bench.shell("cat; cat file");
    const runtime = bench.runtime();
    writeFileSync(join(spec.workspace, "file"), "file\n");
    await runtime.prepare({ ...spec, stdin: "first\n" }, NEVER);
    const { exit, stdout } = await runInDocker(runtime, { ...spec, stdin: "second\n" });
    expect(exit.exitCode).toBe(0);
    expect(stdout.toString()).toBe("second\nfile\n");
  });
});

describe("an agent that misbehaves", () => {
  const short = { deadlineMs: 20_000 };

  test("and takes more memory than it may is ended by the kernel, and named", async () => {
    const spec = await bench.shell("echo up; head -c 400m /dev/zero | tail");
    const { exit } = await runInDocker(
      bench.runtime({ limits: { memoryBytes: 128 * MEBIBYTE } }),
      spec,
      { limits: short },
    );
    expect(exit.endedBy).toBe("out_of_memory");
  });

  test("and ignores SIGTERM is ended after the grace, with all it started", async () => {
    const spec = await bench.shell(
      "trap '' TERM; (setsid sh -c 'trap \"\" TERM; while :; do sleep 0.1; date > alive; done' &) ; echo up; while :; do sleep 1; done",
    );
    const end = new AbortController();
    const startedMs = performance.now();
    const { exit } = await runInDocker(bench.runtime(), spec, {
      signals: { end: end.signal },
      onLine: () => end.abort(),
    });
    expect(exit.endedBy).toBe("abort");
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  test("and is killed from outside has code 137 and no other reason", async () => {
    const spec = await bench.shell("echo up; sleep 600");
    const runtime = bench.runtime();
    const { exit } = await runInDocker(runtime, spec, {
      onLine: async () => {
        const [job] = await runtime.engine.list(spec.runId);
        await bench.docker.getContainer(job?.containerId ?? "").kill();
      },
    });
    expect(exit).toMatchObject({ exitCode: 137, stderrTail: "" });
    expect(exit.endedBy).toBeUndefined();
  });

  test("and leaves daemons that hold its output open is over when it is over", async () => {
    const spec = await bench.shell("for i in 1 2 3; do setsid sleep 600 & done; echo done; exit 4");
    const { exit, stdout } = await runInDocker(bench.runtime(), spec, { limits: short });
    expect(exit).toMatchObject({ exitCode: 4 });
    expect(stdout.toString()).toBe("done\n");
  });

  test("and makes a fork bomb is held by its limits, and ended by its deadline", async () => {
    const spec = await bench.shell(
      "echo up; bomb() { bomb | bomb & }; bomb; while :; do sleep 0.2; done",
    );
    const { exit } = await runInDocker(bench.runtime({ limits: { pids: 64 } }), spec, {
      limits: { deadlineMs: 3_000 },
    });
    expect(exit.endedBy === "deadline" || exit.exitCode !== 0).toBe(true);
  });

  test.each([
    ["plainly", "head -c 300m /dev/zero > full"],
    [
      "in a folder nobody may enter",
      "mkdir hidden; cd hidden; head -c 300m /dev/zero > full; chmod 000 ../hidden",
    ],
    [
      "in its HOME, with its processes stopped",
      "(head -c 300m /dev/zero > $HOME/full; kill -STOP 0) & true",
    ],
  ])("and fills its disk %s is ended within 15 s", async (_, how) => {
    const spec = await bench.shell(`${how}; sleep 600`);
    const startedMs = performance.now();
    const runtime = bench.runtime({ limits: { workspaceMaxBytes: 100 * MEBIBYTE } });
    const { exit } = await runInDocker(runtime, spec);
    expect(exit).toMatchObject({ endedBy: "workspace_full" });
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });

  test("and claims more than its workspace may have is not brought back", async () => {
    const spec = await bench.shell("truncate -s 1T sparse");
    await expect(runInDocker(bench.runtime(), spec)).rejects.toMatchObject({
      code: "WORKSPACE_TOO_LARGE",
    });
  });

  test.each([
    ["bytes", "cat /dev/zero", 20 * MEBIBYTE],
    // Each costs the engine's log many times its bytes.
    ["empty lines", "yes ''", MEBIBYTE],
  ])("and prints %s without end is ended at its limit", async (_, script, outputMaxBytes) => {
    const runtime = bench.runtime({ limits: { outputMaxBytes } });
    const { exit, stdout } = await runInDocker(runtime, await bench.shell(script));
    expect(exit.endedBy).toBe("output_full");
    expect(stdout.length).toBeLessThan(outputMaxBytes + MEBIBYTE);
  });

  test("and puts a link in the place of its workspace leaves none", async () => {
    const spec = await bench.shell("cd /speckit; mv workspace elsewhere; ln -s /etc workspace");
    const { exit } = await runInDocker(bench.runtime(), spec);
    expect(exit.exitCode).toBe(0);
    expect(() => readdirSync(spec.workspace)).toThrow("ENOENT");
  });
});

test.each([16_000, 16_383, 16_384, 32_768, 1_100_000])(
  "lines of %i bytes are told whole, though the engine would cut them",
  async (length) => {
    const spec = await bench.shell(
      `for i in 1 2; do head -c ${length} /dev/zero | tr '\\0' x; echo; done; echo words >&2; printf last`,
    );
    const { exit, stdout, lines } = await runInDocker(bench.runtime(), spec);
    expect(exit).toMatchObject({ exitCode: 0, stderrTail: "words\n" });
    expect(stdout.toString()).toBe(`${"x".repeat(length)}\n`.repeat(2).concat("last"));
    expect(lines.map((line) => line.length)).toEqual([
      Math.min(length, MEBIBYTE),
      Math.min(length, MEBIBYTE),
      4,
    ]);
  },
);

test("a gigabyte of output without a newline passes through flat memory, byte for byte", async () => {
  const bytes = 1024 * MEBIBYTE;
  const spec: JobSpec = await bench.shell(
    `head -c ${bytes} /dev/zero | tr '\\0' x; printf '\\nlast'`,
  );
  const { start } = await bench.runtime().prepare(spec, NEVER);
  const before = process.memoryUsage().rss;
  let highestRss = 0;
  const hash = createHash("sha256");
  let heard = 0;
  const lines: string[] = [];
  const job = await start(
    {
      onStdout: async (piece) => {
        hash.update(piece);
        heard += piece.length;
        highestRss = Math.max(highestRss, process.memoryUsage.rss());
      },
      onStderr: async () => {},
      onLine: (line) => void lines.push(line.slice(-10)),
    },
    limitsOf({ deadlineMs: 120_000 }),
    signalsOf(),
  );
  expect(await job.exit).toMatchObject({ exitCode: 0 });
  expect(heard).toBe(bytes + 5);
  expect(lines).toEqual(["xxxxxxxxxx", "last"]);
  expect((highestRss - before) / MEBIBYTE).toBeLessThan(100);
  const expected = createHash("sha256");
  const mebibyte = Buffer.alloc(MEBIBYTE, "x");
  for (let sent = 0; sent < bytes; sent += MEBIBYTE) {
    expected.update(mebibyte);
  }
  expect(hash.digest("hex")).toBe(expected.update("\nlast").digest("hex"));
}, 180_000);

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
