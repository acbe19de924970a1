import { randomUUID } from "node:crypto";
import { describeJobRuntime } from "../../src/testing/job-runtime-contract.ts";
import { memoryEngine, realTimers } from "../../src/testing/memory/index.ts";
import { programOf } from "./suite-programs.ts";

describeJobRuntime(
  "memory engine",
  async () => ({
    runtime: memoryEngine({
      id: "memory",
      timers: realTimers,
      find: programOf,
      termGraceMs: 100,
    }).runtime(),
    spec: (program) => ({
      runId: randomUUID(),
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
  }),
  { outlives: true },
);
