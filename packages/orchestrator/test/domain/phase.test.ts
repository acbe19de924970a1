import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { neverStarted } from "../../src/domain/never-started.ts";
import { AGENT_PHASES, isAgentPhase, PHASES, pipelineFor } from "../../src/domain/phase.ts";
import { OUTCOMES } from "../../src/domain/run-state.ts";

describe("pipelineFor", () => {
  test("is all phases when none are named", () => {
    expect(pipelineFor()).toEqual([
      ...["prepare", "specify", "plan", "tasks", "publish", "pull_request"],
    ]);
    expect(pipelineFor().filter(isAgentPhase)).toEqual(AGENT_PHASES);
  });

  test("has the asked phases once, in Spec Kit's order, between prepare and publish", () => {
    expect(pipelineFor(["tasks", "specify", "tasks"])).toEqual([
      "prepare",
      "specify",
      "tasks",
      "publish",
      "pull_request",
    ]);
  });

  test("has what was asked for, whatever the order and number", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...AGENT_PHASES)), (asked) => {
        expect(new Set(pipelineFor(asked).filter(isAgentPhase))).toEqual(new Set(asked));
        expect(pipelineFor(asked)).toEqual(pipelineFor([...new Set(asked)].reverse()));
      }),
    );
  });
});

describe("neverStarted", () => {
  test("a phase that was not asked for is skipped, also in a cancelled run", () => {
    expect(neverStarted(pipelineFor(["specify"]), ["prepare", "specify"], "cancelled")).toEqual([
      { phase: "plan", state: "skipped" },
      { phase: "tasks", state: "skipped" },
      { phase: "publish", state: "cancelled" },
      { phase: "pull_request", state: "cancelled" },
    ]);
  });

  test("a failure skips what it cuts off", () => {
    expect(neverStarted(pipelineFor(), ["prepare", "specify"], "failed")).toEqual([
      { phase: "plan", state: "skipped" },
      { phase: "tasks", state: "skipped" },
      { phase: "publish", state: "skipped" },
      { phase: "pull_request", state: "skipped" },
    ]);
  });

  test("with what was started, gives every phase but cleanup exactly one place", () => {
    fc.assert(
      fc.property(
        fc.subarray([...AGENT_PHASES]),
        fc.nat({ max: 5 }),
        fc.constantFrom(...OUTCOMES),
        (asked, count, outcome) => {
          const started = pipelineFor(asked).slice(0, count);
          const rest = neverStarted(pipelineFor(asked), started, outcome).map((row) => row.phase);
          expect([...started, ...rest, "cleanup"].sort()).toEqual([...PHASES].sort());
        },
      ),
    );
  });
});
