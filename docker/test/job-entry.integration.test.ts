import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, runProgram } from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bridgeProgram, type EntryBench, entryBench, sha256, startEntry } from "./entry-bench.ts";
import type { StandInGateway } from "./stand-in-gateway.ts";

const START = "POST /speckit/v1/start";

let bench: EntryBench;
beforeEach(async () => {
  bench = await entryBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const node = (script: string): string[] => [process.execPath, "-e", script];
const sh = (script: string): string[] => ["/bin/bash", "-c", script];

describe("before the agent", () => {
  test("the ticket is taken once, the job's file is gone, and the agent sees no token", async () => {
    await using gateway = await bench.gateway();
    const run = await bench.start(sh("env; pwd; ls ..; exit 3"), { env: { ADDED: "yes" } });
    const exit = await run.exit;
    expect(exit.trailer).toMatchObject({ speckit: "exit", v: 1, exitCode: 3, signal: null });
    expect(exit.code).toBe(3);
    expect(gateway.asked.filter((line) => line === START)).toHaveLength(1);
    const text = exit.agentStdout.toString();
    expect(text).toContain("ADDED=yes");
    expect(text).toContain(`HOME=${bench.folder}/home\n`);
    expect(text).toContain("TMPDIR=/tmp\n");
    expect(text).toContain(`\n${bench.folder}/workspace\n`);
    expect(text).not.toMatch(/token|SECRET_OF|job\.json/);
  });

  test.each([409, 401, 403, 400])("an answer of %i starts no agent", async (status) => {
    await using gateway = await bench.gateway();
    gateway.answers.start = status;
    const exit = await (await bench.start(sh("touch started"))).exit;
    expect(exit.code).toBe(97);
    expect(exit.trailer).toMatchObject({ speckit: "refused", code: "start_refused", status });
    expect(existsSync(join(bench.folder, "workspace/started"))).toBe(false);
  });

  test("a container that is started a second time starts no second agent", async () => {
    await using _gateway = await bench.gateway();
    await (await bench.start(sh("echo x >> starts"))).exit;
    const second = await startEntry(join(bench.folder, "job.json")).exit;
    expect(second.code).toBe(94);
    expect(second.trailer).toMatchObject({ code: "not_started", errno: "ENOENT" });
    expect(await readFile(join(bench.folder, "workspace/starts"), "utf8")).toBe("x\n");
  });

  test("a gateway that comes later is waited for, and so is one whose database is away", async () => {
    const run = await bench.start(sh("echo ran"));
    await using gateway = await bench.gateway();
    gateway.answers.start = 503;
    await gateway.heard(START);
    gateway.answers.start = 204;
    expect((await run.exit).agentStdout.toString()).toBe("ran\n");
  });

  test("a gateway that does not come in time ends the job with a reason of its own", async () => {
    const exit = await (await bench.start(sh("touch started"), { ticketWithinMs: 300 })).exit;
    expect(exit.code).toBe(96);
    expect(exit.trailer).toMatchObject({
      code: "gateway_unreachable",
      detail: "last answer: ENOENT",
    });
  });

  test("what can be reached besides the gateway is told, before the ticket is used", async () => {
    await using gateway = await bench.gateway();
    // On loopback, which is all there is in here, nobody listens on this port: that is an answer, too.
    const exit = await (await bench.start(sh("touch started"), { deniedTargets: ["127.0.0.1:9"] }))
      .exit;
    expect(exit.code).toBe(99);
    expect(exit.trailer).toMatchObject({
      code: "egress_open",
      ways: ["127.0.0.1:9 answers with ECONNREFUSED"],
    });
    expect(gateway.asked).toEqual([]);
    expect(existsSync(join(bench.folder, "workspace/started"))).toBe(false);
  });

  test("too little free space is told with what is free, before the ticket is used", async () => {
    await using gateway = await bench.gateway();
    const exit = await (await bench.start(sh("true"), { freeBytesFloor: 1e18 })).exit;
    expect(exit.code).toBe(98);
    expect(exit.trailer).toMatchObject({ code: "no_space", stdoutBytes: 0 });
    expect(JSON.parse(exit.stderr.toString())).toMatchObject({
      speckit: "no_space",
      freeBytes: exit.trailer.freeBytes,
    });
    expect(gateway.asked).toEqual([]);
  });

  test("an agent that is not there, or not a program, is told with its errno", async () => {
    await using _gateway = await bench.gateway();
    const absent = await (await bench.start(["/no/such/agent"])).exit;
    expect(absent.code).toBe(94);
    expect(absent.trailer).toMatchObject({ code: "not_started", errno: "ENOENT" });
    await writeFile(join(bench.folder, "workspace/text"), "text", { mode: 0o644 });
    const text = await (await bench.start(["./text"])).exit;
    expect(text.trailer).toMatchObject({ code: "not_started", errno: "EACCES" });
  });

  test("SIGTERM while the ticket is waited for ends the job, agent never run", async () => {
    const run = await bench.start(sh("touch started"));
    // It has read the job once its file is gone, and waits for a gateway that is not there.
    await eventually("the job is read", async () => !existsSync(join(bench.folder, "job.json")));
    run.child.kill("SIGTERM");
    const exit = await run.exit;
    expect(exit.trailer).toMatchObject({ code: "not_started", detail: "SIGTERM before the start" });
    expect(existsSync(join(bench.folder, "workspace/started"))).toBe(false);
  });
});

describe("output", () => {
  test.each([
    ["with a final newline", "a\nb\n", "c\n"],
    ["without one", "a\nb", "c"],
    ["of nothing", "", ""],
    ["that looks like a trailer", '{"speckit":"exit","v":1,"exitCode":0}\n', ""],
  ])("%s is told byte for byte", async (_what, stdout, stderr) => {
    await using _gateway = await bench.gateway();
    const script = 'printf %s "$OUT"; printf %s "$ERR" >&2';
    const exit = await (await bench.start(sh(script), { env: { OUT: stdout, ERR: stderr } })).exit;
    expect(exit.agentStdout.toString()).toBe(stdout);
    expect(exit.agentStderr.toString()).toBe(stderr);
    expect(exit.stdout.toString()).toMatch(/(^|\n)\{"speckit":"exit".*\}\n$/);
    // What follows the agent's part is the newline that was missing and the trailer, nothing else.
    const added = stdout === "" || stdout.endsWith("\n") ? "" : "\n";
    const rest = exit.stdout.subarray(exit.agentStdout.length).toString();
    expect(rest).toBe(`${added}${JSON.stringify(exit.trailer)}\n`);
  });

  test.each([15_999, 16_000, 16_001, 32_000, 50_000])(
    "a line of %i bytes is cut, and whole again by what the contract says",
    async (length) => {
      await using _gateway = await bench.gateway();
      const line = "x".repeat(length);
      const script = `for i in 1 2; do printf '%s\\n' ${line}; done; printf ${line}; echo err >&2`;
      const path = join(bench.folder, "script");
      await writeFile(path, script);
      const exit = await (await bench.start(["bash", path])).exit;
      expect(exit.agentStdout.toString()).toBe(`${line}\n${line}\n${line}`);
      expect(exit.agentStderr.toString()).toBe("err\n");
      const longest = Math.max(
        ...exit.stdout
          .toString()
          .split("\n")
          .map((part) => part.length),
      );
      expect(longest).toBeLessThanOrEqual(16_000);
    },
  );

  test("5 MB of binary input come out as they went in", async () => {
    await using _gateway = await bench.gateway();
    const input = randomBytes(5_000_000);
    const path = join(bench.folder, "stdin");
    await writeFile(path, input);
    const exit = await (await bench.start(["cat"], { stdin: path })).exit;
    expect(exit.trailer).toMatchObject({ exitCode: 0, stdoutBytes: 5_000_000, stderrBytes: 0 });
    expect(sha256(exit.agentStdout)).toBe(sha256(input));
    expect(existsSync(path)).toBe(false);
  });

  test("a reader that does not read holds the agent back, at a flat memory, and signals are heard", async () => {
    await using _gateway = await bench.gateway();
    const run = await bench.start(
      sh("trap 'echo told >&2; exit 5' TERM; while :; do head -c 64000000 /dev/zero; done"),
    );
    run.child.stdout?.pause();
    const memory = async () =>
      Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${run.child.pid}/status`, "utf8"))?.[1]);
    let bytes = 0;
    // 256 MB through the pipe, then nothing is read any more.
    await new Promise<void>((resolve) => {
      run.child.stdout?.removeAllListeners("data").on("data", (piece) => {
        bytes += piece.length;
        if (bytes > 256e6) resolve();
      });
      run.child.stdout?.resume();
    });
    run.child.stdout?.removeAllListeners("data").pause();
    expect(await memory()).toBeLessThan(150_000);
    let told = "";
    run.child.stderr?.on("data", (piece) => {
      told += piece;
    });
    run.child.kill("SIGTERM");
    await eventually("the agent heard SIGTERM", () => told.includes("told\n"));
    run.child.kill("SIGKILL");
    run.child.stdout?.destroy();
  });
});

describe("the agent's end", () => {
  test("a signal that ends it is told", async () => {
    await using _gateway = await bench.gateway();
    const run = await bench.start(sh("echo up; exec sleep 300"));
    await new Promise((resolve) => run.child.stdout?.once("data", resolve));
    run.child.kill("SIGTERM");
    const exit = await run.exit;
    expect(exit.trailer).toMatchObject({ speckit: "exit", exitCode: null, signal: "SIGTERM" });
    expect(exit.code).toBe(143);
    expect(exit.agentStdout.toString()).toBe("up\n");
  });

  test("SIGTERM reaches all of the agent's group, and it may take its time", async () => {
    await using _gateway = await bench.gateway();
    const child = "trap 'echo child told; exit' TERM; echo up; while :; do sleep 0.05; done";
    const parent = `trap 'wait; wait; echo parent ends; exit 7' TERM; bash -c "${child}" & wait`;
    const run = await bench.start(sh(parent));
    await new Promise((resolve) => run.child.stdout?.once("data", resolve));
    run.child.kill("SIGTERM");
    const exit = await run.exit;
    expect(exit.trailer).toMatchObject({ exitCode: 7, signal: null });
    expect(exit.agentStdout.toString()).toBe("up\nchild told\nparent ends\n");
  });

  test("children left behind do not hold the job open", async () => {
    await using _gateway = await bench.gateway();
    const script =
      "sleep 300 & setsid -f bash -c 'echo $$ > daemon; exec sleep 300'; until [ -s daemon ]; do :; done; echo done";
    const exit = await (await bench.start(sh(script))).exit;
    // Here it outlives the entry program; in a container it ends with it.
    process.kill(Number(await readFile(join(bench.folder, "workspace/daemon"), "utf8")), "SIGKILL");
    expect(exit.trailer).toMatchObject({ exitCode: 0, stdoutBytes: 5 });
  });

  test("one that goes on writing after the agent's end is cut off", async () => {
    await using _gateway = await bench.gateway();
    const script =
      "setsid -f bash -c 'echo $$ > daemon; exec yes'; until [ -s daemon ]; do :; done";
    const exit = await (await bench.start(sh(script))).exit;
    expect(exit.trailer).toMatchObject({ exitCode: 0 });
    // Its pipe is closed: it ends by itself.
  });
});

describe("while it runs", () => {
  let gateway: StandInGateway;
  beforeEach(async () => {
    gateway = await bench.gateway();
  });
  afterEach(() => gateway[Symbol.asyncDispose]());

  const endless = sh("trap '' TERM; echo up; while :; do sleep 0.1; done");

  test("an attempt that is not live any more ends an agent that ignores SIGTERM", async () => {
    const run = await bench.start(endless);
    await new Promise((resolve) => run.child.stdout?.once("data", resolve));
    gateway.answers.attempt = 410;
    const exit = await run.exit;
    expect(exit.code).toBe(95);
    expect(exit.trailer).toMatchObject({ speckit: "refused", code: "fenced", stdoutBytes: 3 });
    expect(exit.agentStdout.toString()).toBe("up\n");
  });

  test.each([503, 401, 500])("answers of %i for too long end it", async (status) => {
    const run = await bench.start(endless);
    await new Promise((resolve) => run.child.stdout?.once("data", resolve));
    gateway.answers.attempt = status;
    const exit = await run.exit;
    expect(exit.trailer).toMatchObject({ code: "fenced" });
    expect(String(exit.trailer.detail)).toContain(`last answer: ${status}`);
  });

  test("a gateway that is away for less than that ends nothing", async () => {
    const run = await bench.start(sh("until [ -e go ]; do sleep 0.05; done; echo end"), {
      giveUpMs: 30_000,
    });
    await gateway.heard("GET /speckit/v1/attempt");
    await gateway[Symbol.asyncDispose]();
    gateway = await bench.gateway();
    await gateway.heard("GET /speckit/v1/attempt");
    await writeFile(join(bench.folder, "workspace/go"), "");
    expect((await run.exit).trailer).toMatchObject({ speckit: "exit", exitCode: 0 });
  });

  test("a gateway that is gone for good ends it", async () => {
    const run = await bench.start(endless);
    await gateway.heard("GET /speckit/v1/attempt");
    await gateway[Symbol.asyncDispose]();
    const exit = await run.exit;
    expect(exit.trailer).toMatchObject({ code: "fenced" });
    expect(String(exit.trailer.detail)).toMatch(/last answer: (ENOENT|ECONNREFUSED)/);
  });

  test("the agent reaches the gateway over loopback: a streamed answer comes piece by piece", async () => {
    gateway.answers.other = (request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("first\n");
      request.on("data", (piece) => response.end(`heard ${piece}\n`));
    };
    const script = `
      const http = require("node:http");
      const call = http.request({ port: ${bench.bridgePort}, path: "/openai/v1/responses", method: "POST" }, (answer) => {
        answer.once("data", () => call.end("more"));
        answer.pipe(process.stdout);
      });
      call.flushHeaders();`;
    const exit = await (await bench.start(node(script))).exit;
    expect(exit.agentStdout.toString()).toBe("first\nheard more\n");
  });

  test("speckit-bridge --check says whether the gateway answers through a bridge", async () => {
    const good = await runProgram(bridgeProgram, ["--check", bench.socketPath]);
    expect(good.exitCode).toBe(0);
    expect(JSON.parse(good.stdout)).toEqual({
      ok: true,
      socketPath: bench.socketPath,
      answer: 200,
    });
    await gateway[Symbol.asyncDispose]();
    const bad = await runProgram(bridgeProgram, ["--check", bench.socketPath]);
    expect(bad.exitCode).toBe(1);
    gateway = await bench.gateway();
  });
});
