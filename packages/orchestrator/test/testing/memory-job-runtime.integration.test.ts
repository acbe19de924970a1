import { describeJobRuntime, type SuiteProgram } from "../../src/testing/job-runtime-contract.ts";
import { memoryJobRuntime, type Program, realTimers } from "../../src/testing/memory/index.ts";

const talk = { afterMs: 100, stdout: "on\n" };
const PROGRAMS: Readonly<Record<string, Program>> = {
  says_two_lines: {
    steps: [
      { afterMs: 5, stdout: "one\n", stderr: "words\n" },
      { afterMs: 5, stdout: "two\n" },
    ],
    ends: 3,
  },
  works_for_a_while: { steps: [{ afterMs: 5, stdout: "up\n" }, { afterMs: 2_500 }], ends: 5 },
  talks_on: { steps: Array.from({ length: 600 }, () => talk), ends: "never", isStubborn: true },
  says_nothing: { steps: [{ afterMs: 5, stdout: "up\n" }], ends: "never" },
} satisfies Partial<Record<SuiteProgram, Program>>;

describeJobRuntime("memory", async () => ({
  runtime: memoryJobRuntime({
    timers: realTimers,
    find: ({ argv }) => PROGRAMS[argv[0]],
    termGraceMs: 100,
  }),
  spec: (program) => ({
    runId: "0197f0a0-0000-7000-8000-000000000001",
    phase: "specify",
    attempt: 1,
    argv: [program],
    env: {},
    files: [],
    stdin: "",
    workspace: "/memory",
    home: "/memory/home",
  }),
  [Symbol.asyncDispose]: async () => {},
}));
