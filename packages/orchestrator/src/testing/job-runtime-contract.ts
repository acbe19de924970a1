import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobExit, JobListener, JobRuntime, JobSpec } from "../ports/job-runtime.ts";

/**
 * What the programs of the suite do:
 *
 * - `says_two_lines`: prints `one` and `two` to stdout and `words` to stderr, exits with code 3
 * - `works_for_a_while`: prints `up`, works for 2.5 s without a word, exits with code 5
 * - `talks_on`: prints `on` every 100 ms, for ever
 * - `says_nothing`: prints `up`, then nothing, for ever
 * - `missing`: there is no such program
 */
export const SUITE_PROGRAMS = [
  "says_two_lines",
  "works_for_a_while",
  "talks_on",
  "says_nothing",
  "missing",
] as const;
export type SuiteProgram = (typeof SUITE_PROGRAMS)[number];

export interface JobRuntimeUnderTest extends AsyncDisposable {
  readonly runtime: JobRuntime;
  /** A job of one of the suite's programs; times of its spec are real ones. */
  readonly spec: (program: SuiteProgram, more?: Partial<JobSpec>) => JobSpec;
}

/** What the application relies on of a job runtime, as Vitest tests. */
export function describeJobRuntime(name: string, open: () => Promise<JobRuntimeUnderTest>): void {
  describe(`JobRuntime: ${name}`, () => {
    let under: JobRuntimeUnderTest;

    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    async function start(
      program: SuiteProgram,
      more: Partial<JobSpec> = {},
      {
        signal = new AbortController().signal,
        ...hooks
      }: Partial<JobListener> & {
        readonly signal?: AbortSignal;
      } = {},
    ) {
      const heard = { stdout: "", stderr: "", lines: [] as string[] };
      const decode = (piece: Uint8Array) => Buffer.from(piece).toString("utf8");
      const job = await under.runtime.start(
        under.spec(program, more),
        {
          onStdout: async (piece) => {
            heard.stdout += decode(piece);
          },
          onStderr: async (piece) => {
            heard.stderr += decode(piece);
          },
          onLine: (line) => void heard.lines.push(line),
          ...hooks,
        },
        signal,
      );
      return { job, heard };
    }

    async function endOf(...asked: Parameters<typeof start>): Promise<JobExit> {
      return (await start(...asked)).job.exit;
    }

    test("output and exit code are told, all output before the exit", async () => {
      const { job, heard } = await start("says_two_lines");
      expect(await job.exit).toMatchObject({ exitCode: 3, signal: null });
      expect(heard).toEqual({ stdout: "one\ntwo\n", stderr: "words\n", lines: ["one", "two"] });
      expect((await job.exit).stderrTail).toBe("words\n");
      expect((await job.exit).endedBy).toBeUndefined();
      job.keepAlive(1_000);
    });

    test("a deadline ends it, and silence, and each is named", async () => {
      expect(await endOf("talks_on", { deadlineMs: 600 })).toMatchObject({
        endedBy: "deadline",
        exitCode: null,
      });
      expect(await endOf("says_nothing", { silenceMs: 600 })).toMatchObject({
        endedBy: "silence",
      });
    });

    test("an abort ends it; one aborted before never starts", async () => {
      const abort = new AbortController();
      const { job } = await start(
        "talks_on",
        {},
        { signal: abort.signal, onLine: () => abort.abort() },
      );
      expect(await job.exit).toMatchObject({ endedBy: "abort" });
      const before = await start("talks_on", {}, { signal: AbortSignal.abort() });
      expect(await before.job.exit).toMatchObject({ endedBy: "abort", exitCode: null });
      expect(before.heard.lines).toEqual([]);
    });

    test("one that is not kept alive ends by itself, one that is goes on", async () => {
      const left = await endOf("talks_on", { keepAliveMs: 1_000 });
      expect(left).toMatchObject({ endedBy: "keep_alive", exitCode: null });

      const { job } = await start("works_for_a_while", { keepAliveMs: 1_500 });
      const timer = setInterval(() => job.keepAlive(1_500), 200);
      try {
        expect(await job.exit).toMatchObject({ exitCode: 5 });
      } finally {
        clearInterval(timer);
      }
    });

    test("one that has no time to live when it is to be started never starts", async () => {
      const { job, heard } = await start("says_two_lines", { keepAliveMs: 0 });
      expect(await job.exit).toMatchObject({ endedBy: "keep_alive", exitCode: null });
      expect(heard).toEqual({ stdout: "", stderr: "", lines: [] });
    });

    test("time to live that is taken back ends it", async () => {
      const { job } = await start("talks_on");
      job.keepAlive(0);
      expect(await job.exit).toMatchObject({ endedBy: "keep_alive" });
    });

    test("a listener that fails ends it and is heard", async () => {
      const onStdout = () => Promise.reject(new Error("no room"));
      const { job } = await start("talks_on", {}, { onStdout });
      await expect(job.exit).rejects.toThrow("no room");
    });

    test("a program that is not there is named", async () => {
      await expect(start("missing")).rejects.toMatchObject({ code: "AGENT_NOT_STARTED" });
    });

    test("the report names the runtime", async () => {
      expect((await under.runtime.report()).name).not.toBe("");
    });
  });
}
