import type { JobSpec } from "../../src/ports/job-runtime.ts";
import type { SuiteProgram } from "../../src/testing/job-runtime-contract.ts";
import type { Program } from "../../src/testing/memory/index.ts";

const talk = { afterMs: 100, stdout: "on\n" };
/** The programs of the suite of job runtimes, as data. */
export function programOf({ argv, secrets }: JobSpec): Program | undefined {
  const { SUITE_SECRET: secret = "" } = secrets ?? {};
  const told = { stdout: `${secret} ${secret.length}\n`, stderr: `${secret}\n` };
  return argv[0] === "tells_a_secret"
    ? { steps: [{ afterMs: 5, ...told }], ends: 0 }
    : PROGRAMS[argv[0]];
}

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
