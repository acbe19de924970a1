import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  JobExit,
  JobLimits,
  JobListener,
  JobRuntime,
  JobSignals,
  JobSpec,
} from "../ports/job-runtime.ts";

/**
 * What the programs of the suite do:
 *
 * - `says_two_lines`: prints `one` and `two` to stdout and `words` to stderr, exits with code 3
 * - `works_for_a_while`: prints `up`, works for 2.5 s without a word, exits with code 5
 * - `talks_on`: prints `on` every 100 ms, for ever
 * - `says_nothing`: prints `up`, then nothing, for ever
 * - `tells_a_secret`: prints the first 9 characters of its variable `SUITE_SECRET`, a moment later the others
 *   with a space and their number in all, then the whole to stderr; exits with code 0
 * - `missing`: there is no such program
 */
export const SUITE_PROGRAMS = [
  "says_two_lines",
  "works_for_a_while",
  "talks_on",
  "says_nothing",
  "tells_a_secret",
  "missing",
] as const;
export type SuiteProgram = (typeof SUITE_PROGRAMS)[number];

export interface JobRuntimeUnderTest extends AsyncDisposable {
  readonly runtime: JobRuntime;
  /** A job of one of the suite's programs, each time another one. */
  readonly spec: (program: SuiteProgram) => JobSpec;
}

type Signals = Partial<JobSignals>;

const PATIENCE: JobLimits = { deadlineMs: 30_000, silenceMs: 30_000, keepAliveMs: 60_000 };
const NEVER = new AbortController().signal;
const NEVER_BOTH: JobSignals = { end: NEVER, letGo: NEVER };

/**
 * What the application relies on of a job runtime, as Vitest tests.
 *
 * @param options with `outlives`, its jobs go on without their worker
 */
export function describeJobRuntime(
  name: string,
  open: () => Promise<JobRuntimeUnderTest>,
  { outlives = false }: { readonly outlives?: boolean } = {},
): void {
  describe(`JobRuntime: ${name}`, () => {
    let under: JobRuntimeUnderTest;

    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    function listen(hooks: Partial<JobListener> = {}) {
      const heard = { stdout: "", stderr: "", lines: [] as string[] };
      const decode = (piece: Uint8Array) => Buffer.from(piece).toString("utf8");
      const listener: JobListener = {
        onStdout: async (piece) => {
          heard.stdout += decode(piece);
        },
        onStderr: async (piece) => {
          heard.stderr += decode(piece);
        },
        onLine: (line) => void heard.lines.push(line),
        ...hooks,
      };
      return { heard, listener };
    }

    async function start(
      program: SuiteProgram,
      limits: Partial<JobLimits> = {},
      { signals = {}, ...hooks }: Partial<JobListener> & { readonly signals?: Signals } = {},
      given: Pick<JobSpec, "secrets"> = {},
    ) {
      const { heard, listener } = listen(hooks);
      const spec = { ...under.spec(program), ...given };
      const prepared = await under.runtime.prepare(spec, NEVER);
      const job = await prepared.start(
        listener,
        { ...PATIENCE, ...limits },
        { ...NEVER_BOTH, ...signals },
      );
      return { job, heard, spec, place: prepared.place };
    }

    async function endOf(...asked: Parameters<typeof start>): Promise<JobExit> {
      return (await start(...asked)).job.exit;
    }

    /** Starts one, and lets go of it when it has said its first line. */
    async function startAndLeave(program: SuiteProgram) {
      const letGo = new AbortController();
      const hooks = { signals: { letGo: letGo.signal }, onLine: () => letGo.abort() };
      const { job, spec, place } = await start(program, {}, hooks);
      return { exit: await job.exit, spec, containerId: place?.containerId ?? "" };
    }

    async function attach(
      { containerId, spec }: { readonly containerId: string; readonly spec: JobSpec },
      limits: Partial<JobLimits> = {},
      signals: Signals = {},
    ) {
      const { heard, listener } = listen();
      const job = await under.runtime.engine?.attach(
        containerId,
        spec,
        listener,
        { ...PATIENCE, ...limits },
        { ...NEVER_BOTH, ...signals },
      );
      return { job, heard };
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
      expect(await endOf("talks_on", { deadlineMs: 600 })).toMatchObject({ endedBy: "deadline" });
      expect(await endOf("says_nothing", { silenceMs: 600 })).toMatchObject({
        endedBy: "silence",
      });
    });

    test("it is ended when it is to end; one ended before never starts", async () => {
      const end = new AbortController();
      const { job } = await start(
        "talks_on",
        {},
        { signals: { end: end.signal }, onLine: () => end.abort() },
      );
      expect(await job.exit).toMatchObject({ endedBy: "abort" });
      const before = await start("talks_on", {}, { signals: { end: AbortSignal.abort() } });
      expect(await before.job.exit).toMatchObject({ endedBy: "abort", exitCode: null });
      expect(before.heard.lines).toEqual([]);
    });

    test("a listener that fails ends it and is heard", async () => {
      const onStdout = () => Promise.reject(new Error("no room"));
      const { job } = await start("talks_on", {}, { onStdout });
      await expect(job.exit).rejects.toThrow("no room");
    });

    test("its secret is in its environment, and masked in what it prints, though it comes in two pieces", async () => {
      const secrets = { SUITE_SECRET: `suite-secret/+${randomUUID()}` };
      const { job, heard } = await start("tells_a_secret", {}, {}, { secrets });
      const exit = await job.exit;
      expect(exit).toMatchObject({ exitCode: 0, stderrTail: "[redacted]\n" });
      expect(heard.stdout).toBe(`[redacted] ${secrets.SUITE_SECRET.length}\n`);
      expect(heard.lines).toEqual([heard.stdout.trimEnd()]);
      expect(heard.stderr).toBe("[redacted]\n");
    });

    test("a program that is not there is named, when it is started or as its end", async () => {
      await expect(endOf("missing")).rejects.toMatchObject({ code: "AGENT_NOT_STARTED" });
    });

    test("the report names the runtime", async () => {
      expect((await under.runtime.report()).name).not.toBe("");
    });

    const endWithWorker = (): void => {
      test("there is no engine", () => expect(under.runtime.engine).toBeUndefined());

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

      test("a worker that lets go of one ends it", async () => {
        expect((await startAndLeave("talks_on")).exit).toMatchObject({ endedBy: "abort" });
      });
    };

    const outliveWorker = (): void => {
      test("one that a worker lets go of goes on, and is told whole to the next", async () => {
        const left = await startAndLeave("works_for_a_while");
        expect(left.exit.isLeft).toBe(true);
        const { job, heard } = await attach(left);
        expect(await job?.exit).toMatchObject({ exitCode: 5 });
        expect(heard.stdout).toBe("up\n");
      });

      test("one that has ended is told as often as it is asked for", async () => {
        const { job, spec, place } = await start("says_two_lines");
        await job.exit;
        for (let times = 0; times < 2; times++) {
          const again = await attach({ containerId: place?.containerId ?? "", spec });
          expect(await again.job?.exit).toMatchObject({ exitCode: 3, stderrTail: "words\n" });
          expect(again.heard).toEqual({
            stdout: "one\ntwo\n",
            stderr: "words\n",
            lines: ["one", "two"],
          });
        }
      });

      test("one that was prepared and never started is started by whoever attaches", async () => {
        const spec = under.spec("says_two_lines");
        const { place } = await under.runtime.prepare(spec, NEVER);
        const { job } = await attach({ containerId: place?.containerId ?? "", spec });
        expect(await job?.exit).toMatchObject({ exitCode: 3 });
      });

      test("limits of the one who attaches count from then", async () => {
        const left = await startAndLeave("talks_on");
        const { job } = await attach(left, { deadlineMs: 600 });
        expect(await job?.exit).toMatchObject({ endedBy: "deadline" });
      });

      test("jobs are listed, of one run or all, until they are removed", async () => {
        const engine = under.runtime.engine;
        const { spec, containerId } = await startAndLeave("talks_on");
        const { runId, phase, attempt } = spec;
        const [found, ...others] = (await engine?.list(runId)) ?? [];
        expect(others).toEqual([]);
        expect(found).toMatchObject({
          runId,
          phase,
          attempt,
          containerId,
          isRunning: true,
          wasStarted: true,
        });
        expect(found?.ageMs).toBeLessThan(60_000);
        expect((await engine?.list())?.map((job) => job.containerId)).toContain(containerId);
        await engine?.remove(spec);
        expect(await engine?.list(runId)).toEqual([]);
        await engine?.remove(spec);
        expect((await attach({ spec, containerId })).job).toBeUndefined();
      });

      test("one that was prepared is listed as never started", async () => {
        const spec = under.spec("says_two_lines");
        await under.runtime.prepare(spec, NEVER);
        expect(await under.runtime.engine?.list(spec.runId)).toMatchObject([
          { isRunning: false, wasStarted: false },
        ]);
      });

      test("a preparation that is aborted leaves nothing", async () => {
        const spec = under.spec("says_two_lines");
        await expect(under.runtime.prepare(spec, AbortSignal.abort())).rejects.toThrow();
        expect(await under.runtime.engine?.list(spec.runId)).toEqual([]);
      });

      test("the same attempt prepared twice is one", async () => {
        const spec = under.spec("says_two_lines");
        const first = await under.runtime.prepare(spec, NEVER);
        const second = await under.runtime.prepare(spec, NEVER);
        expect(second.place?.containerId).toBe(first.place?.containerId);
        expect(await under.runtime.engine?.id()).toBe(first.place?.engineId);
      });
    };

    if (outlives) {
      describe("jobs that outlive their worker", outliveWorker);
    } else {
      describe("jobs that end with their worker", endWithWorker);
    }
  });
}
