import { afterAll, beforeAll, expect, test } from "vitest";
import {
  describeJobRuntime,
  type SuiteProgram,
} from "../../../src/testing/job-runtime-contract.ts";
import { type DockerBench, openDockerBench } from "./docker-bench.ts";

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

let bench: DockerBench;
beforeAll(async () => {
  bench = await openDockerBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

describeJobRuntime(
  "containers",
  async () => {
    const runtime = bench.runtime();
    const specs = await Promise.all(
      Array.from({ length: 3 }, async (_, ix) => ({ ix, spec: await bench.shell("") })),
    );
    return {
      runtime,
      spec: (program) => {
        const { spec } = specs.shift() ?? {};
        if (spec === undefined) {
          throw new Error("too few jobs were made for this test");
        }
        const argv: [string, ...string[]] =
          program === "missing" ? ["no-such-program"] : ["bash", "-c", SCRIPTS[program]];
        return { ...spec, argv };
      },
      async [Symbol.asyncDispose]() {
        for (const job of await runtime.engine.list()) {
          await runtime.engine.remove(job);
        }
      },
    };
  },
  { outlives: true },
);

test("nothing is left when all jobs are removed", async () => {
  expect(await bench.leftovers()).toEqual([]);
});
