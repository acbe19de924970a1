import { describeJobRuntime } from "../../src/testing/job-runtime-contract.ts";
import { memoryJobRuntime, realTimers } from "../../src/testing/memory/index.ts";
import { programOf } from "./suite-programs.ts";

describeJobRuntime("memory", async () => ({
  runtime: memoryJobRuntime({
    timers: realTimers,
    find: programOf,
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
