import { tempFolder } from "@speckit/testkit";
import { describe } from "vitest";
import { processRuntime } from "../../../src/adapters/process/index.ts";
import {
  describeJobRuntime,
  type SuiteProgram,
} from "../../../src/testing/job-runtime-contract.ts";
import { shellSpec } from "./run-job.ts";

const SCRIPTS: Readonly<Record<SuiteProgram, string>> = {
  says_two_lines: "echo one; echo words >&2; echo two; exit 3",
  works_for_a_while: "echo up; sleep 2.5; exit 5",
  talks_on: "while :; do echo on; sleep 0.1; done",
  says_nothing: "echo up; sleep 600",
  tells_a_secret:
    'printf %.9s "$SUITE_SECRET"; sleep 0.3; printf %s "$SUITE_SECRET" | tail -c +10; ' +
    'echo " $(printf %s "$SUITE_SECRET" | wc -c)"; echo "$SUITE_SECRET" >&2',
  missing: "",
};

describe.each(["auto", "process_group"] as const)("with containment %s", (containment) => {
  describeJobRuntime("processes", async () => {
    const folder = await tempFolder("jobs");
    return {
      runtime: processRuntime({ containment, termGraceMs: 300 }),
      spec: (program) =>
        shellSpec(folder.path, SCRIPTS[program], {
          ...(program === "missing" ? { argv: ["no-such-program"] } : {}),
        }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  });
});
