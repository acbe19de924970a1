import { describe, expect, test } from "vitest";
import { judgeExit } from "../../../src/adapters/docker/judge-exit.ts";
import { parseTrailer } from "../../../src/adapters/docker/output/trailer.ts";
import type { JobEnd } from "../../../src/ports/job-runtime.ts";

const state = { exitCode: 0, outOfMemory: false };
const seen = { endedBy: undefined, engineWasAway: false };
const line = (fields: object) =>
  parseTrailer(Buffer.from(JSON.stringify({ v: 1, stdoutBytes: 0, stderrBytes: 0, ...fields })));
const exit = (exitCode: number | null, signal: string | null = null) =>
  line({ speckit: "exit", exitCode, signal });
const refused = (code: string, more: object = {}) => line({ speckit: "refused", code, ...more });

describe("a container's end", () => {
  test("is the agent's own, as its entry program tells it", () => {
    expect(judgeExit({ ...state, exitCode: 3 }, exit(3), seen)).toEqual({
      exitCode: 3,
      signal: null,
    });
    expect(judgeExit({ ...state, exitCode: 139 }, exit(null, "SIGSEGV"), seen)).toEqual({
      exitCode: null,
      signal: "SIGSEGV",
    });
  });

  test("was ours when we ended it, whatever else was seen", () => {
    for (const endedBy of ["deadline", "silence", "workspace_full"] satisfies JobEnd[]) {
      const how = judgeExit({ exitCode: 137, outOfMemory: true }, exit(null, "SIGTERM"), {
        endedBy,
        engineWasAway: true,
      });
      expect(how.endedBy).toBe(endedBy);
    }
    expect(judgeExit(state, refused("not_started"), { ...seen, endedBy: "deadline" })).toEqual({
      exitCode: null,
      signal: null,
      endedBy: "deadline",
    });
  });

  test("was for want of memory when the kernel says so and the agent did not succeed", () => {
    const outOfMemory = true;
    expect(judgeExit({ exitCode: 137, outOfMemory }, undefined, seen).endedBy).toBe(
      "out_of_memory",
    );
    expect(judgeExit({ exitCode: 1, outOfMemory }, exit(1), seen).endedBy).toBe("out_of_memory");
    expect(judgeExit({ exitCode: 0, outOfMemory }, exit(0), seen).endedBy).toBeUndefined();
  });

  test("without a word is somebody's kill, or the engine's stop, never a success", () => {
    const code = (exitCode: number, engineWasAway = false) =>
      judgeExit({ ...state, exitCode }, undefined, { ...seen, engineWasAway });
    expect(code(137)).toEqual({ exitCode: 137, signal: null });
    expect(code(137, true).endedBy).toBe("engine_stopped");
    expect(code(0).endedBy).toBe("engine_stopped");
    expect(code(255).endedBy).toBe("engine_stopped");
  });

  test("without a word from an entry program that cannot be run is the image's fault", () => {
    for (const exitCode of [126, 127]) {
      expect(() => judgeExit({ ...state, exitCode }, undefined, seen)).toThrow("speckit-job");
      expect(judgeExit({ ...state, exitCode }, exit(exitCode), seen)).toMatchObject({ exitCode });
    }
  });

  test("by a signal is the engine's shutdown when the engine was away", () => {
    const away = { ...seen, engineWasAway: true };
    expect(judgeExit({ ...state, exitCode: 143 }, exit(null, "SIGTERM"), away).endedBy).toBe(
      "engine_stopped",
    );
    expect(judgeExit({ ...state, exitCode: 2 }, exit(2), away).endedBy).toBeUndefined();
  });

  test("before its agent began says why", () => {
    const start = (code: string, more: object = {}) => judgeExit(state, refused(code, more), seen);
    expect(start("start_refused").endedBy).toBe("start_refused");
    expect(start("fenced").endedBy).toBe("fenced");
    expect(() => start("not_started", { errno: "ENOENT" })).toThrow("could not be started");
    // Ended from outside before its start, by nobody we know.
    expect(start("not_started").endedBy).toBe("engine_stopped");
    expect(() => start("no_space")).toThrow("too little space");
    expect(() => start("gateway_unreachable")).toThrow("could not reach its gateway");
    expect(() => start("egress_open", { detail: "interface eth0 (172.17.0.2)" })).toThrow(
      "not closed: interface eth0 (172.17.0.2)",
    );
    expect(() => start("odd")).toThrow("has refused");
  });

  test.each([
    "",
    "{}",
    "null",
    "[]",
    "{",
    '{"speckit":"exit"}',
    '{"speckit":"exit","v":2}',
    '{"speckit":"other","v":1}',
  ])("is told by no line like %j", (text) => {
    expect(parseTrailer(Buffer.from(text))).toBeUndefined();
  });

  test("is read from a line however wrong its fields are", () => {
    const odd =
      '{"speckit":"exit","v":1,"exitCode":"0","signal":7,"stdoutBytes":-1,"stderrBytes":1e99}';
    expect(parseTrailer(Buffer.from(odd))).toEqual({
      kind: "exit",
      exitCode: null,
      signal: null,
      stdoutBytes: 0,
      stderrBytes: 0,
    });
  });
});
