import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@speckit/testkit";
import { fileArtifactStore } from "../../src/adapters/artifacts/index.ts";
import type { Dependencies } from "../../src/application/dependencies.ts";
import { Orchestrator } from "../../src/application/orchestrator.ts";
import { failureOf, SpeckitError } from "../../src/domain/speckit-error.ts";
import type { AgentBackend } from "../../src/ports/agent-backend.ts";
import type { JobSpec } from "../../src/ports/job-runtime.ts";
import {
  memoryJobRuntime,
  memoryMachine,
  memoryRemote,
  type Program,
  realTimers,
} from "../../src/testing/memory/index.ts";

/** How a run goes, and what it has come to in the end. */
export const WAYS = {
  succeeded: "succeeded",
  no_changes: "no_changes",
  failed: "failed",
  cancelled: "cancelled",
  asks: "needs_input",
  works: "in_progress",
} as const;
export type Way = keyof typeof WAYS;

interface Place {
  readonly deps: Dependencies;
  readonly stateDir: string;
}

const DOCUMENTS = "specs/000-there";
const remotes = new Map([["https://github.com/owner/service.git", memoryRemote(baseFiles())]]);
const ways = new Map<string, Way>();
/** What is kept of one artifact here: little, so that one can be over it. */
const MAX_BYTES = 20_000;

/** A worker's ports: database and artifacts are real, git and agents are memory. */
export function busyWorker({ deps, stateDir }: Place): Dependencies {
  const machine = memoryMachine(remotes);
  return {
    ...deps,
    git: machine.git,
    runtime: memoryJobRuntime({
      timers: realTimers,
      termGraceMs: 50,
      find: (spec) => programOf(spec, machine.workspaces.get(spec.workspace)),
    }),
    artifacts: fileArtifactStore({ folder: join(stateDir, "artifacts"), maxBytes: MAX_BYTES }),
    backends: new Map([[backend.name, backend]]),
    defaultBackend: backend.name,
  };
}

/** Submits a run that will go this way. */
export async function submitOne(deps: Dependencies, way: Way): Promise<string> {
  const runId = randomUUID();
  ways.set(runId, way);
  await new Orchestrator(deps).submit({
    schemaVersion: 1,
    runId,
    repository: "owner/service",
    specifyText: "Sign in",
    ...(way === "no_changes" ? { phases: ["tasks"], featureDirectory: DOCUMENTS } : {}),
    ...(way === "asks" ? { onQuestions: "pause" } : {}),
  });
  return runId;
}

/** Waits until a run has come to what it was submitted for; cancels those that are to be. */
export async function untilThere(deps: Dependencies, runId: string): Promise<void> {
  const way = ways.get(runId) ?? "succeeded";
  const orchestrator = new Orchestrator(deps);
  const at = async (phase: string) =>
    (await deps.runs.attemptsOf(runId)).some((attempt) => attempt.phase === phase);
  const isThere = async () => {
    const run = await orchestrator.find(runId);
    if (way === "cancelled" && run?.outcome === null && (await at("plan"))) {
      await orchestrator.cancel(runId);
    }
    const isOver = way === "asks" || way === "works" || run?.cleanedAt != null;
    return run?.status === WAYS[way] && isOver && (way !== "works" || (await at("plan")));
  };
  await eventually(`${way} ${runId}`, isThere, Boolean, { withinMs: 60_000, everyMs: 100 });
}

export async function foldersIn(stateDir: string): Promise<readonly string[]> {
  return (await readdir(join(stateDir, "artifacts"))).sort();
}

function programOf(spec: JobSpec, workspace: Map<string, string> | undefined): Program {
  const way = ways.get(spec.runId);
  if ((way === "works" || way === "cancelled") && spec.phase === "plan") {
    return { steps: [{ afterMs: 1, stdout: "at work\n" }], ends: "never" };
  }
  const directory = spec.env.SPECIFY_FEATURE_DIRECTORY ?? "";
  const act = (): void => {
    const documents =
      way === "no_changes"
        ? {}
        : documentsOf(spec.phase, directory, way === "asks" && spec.attempt === 1);
    for (const [path, text] of Object.entries(documents)) {
      workspace?.set(path, text);
    }
  };
  const isTooLong = way === "succeeded" && spec.phase === "tasks";
  return {
    steps: [{ afterMs: 5, stdout: isTooLong ? `${"x".repeat(100)}\n`.repeat(300) : "done\n", act }],
    ends: way === "failed" && spec.phase === "plan" ? 1 : 0,
  };
}

const backend: AgentBackend = {
  name: "memory",
  description: "programs that are data",
  command: (prompt) => ({
    argv: ["agent"],
    env: { SPECIFY_FEATURE_DIRECTORY: prompt.featureDirectory },
    stdin: prompt.phase,
    files: [],
  }),
  reader: () => ({
    read: (line) => [{ type: "message", text: line.slice(0, 100) }],
    classify: ({ exitCode }) =>
      exitCode === 1 ? failureOf(new SpeckitError("AGENT_NOT_STARTED", "It refused")) : undefined,
  }),
};

function documentsOf(
  phase: string,
  directory: string,
  asks: boolean,
): Readonly<Record<string, string>> {
  switch (phase) {
    case "specify":
      return {
        ".specify/feature.json": JSON.stringify({ feature_directory: directory }),
        [`${directory}/checklists/requirements.md`]: "- [x] ready\n",
        [`${directory}/spec.md`]: `# Feature Specification: Sign in\n## User Scenarios & Testing\n### User Story 1 - Sign in (Priority: P1)\n## Requirements\n- FR-001\n${asks ? "- FR-002 [NEEDS CLARIFICATION: Which one?]\n" : ""}## Success Criteria\n- SC-001\n`,
      };
    case "plan":
      return {
        [`${directory}/plan.md`]:
          "# Implementation Plan: Sign in\n## Summary\n## Technical Context\n## Constitution Check\n## Project Structure\n",
        [`${directory}/research.md`]: "Decision: one. Rationale: small. Alternatives: none.\n",
        [`${directory}/quickstart.md`]: "Start it.\n",
      };
    default:
      return { [`${directory}/tasks.md`]: "# Tasks\n## Phase 1: Setup\n- [ ] T001 [US1] Do it\n" };
  }
}

function baseFiles(): Readonly<Record<string, string>> {
  const phases = ["specify", "plan", "tasks"];
  return {
    "README.md": "# Service\n",
    ".specify/memory/constitution.md": "# Constitution\n",
    ...Object.fromEntries(
      phases.map((phase) => [`.agents/skills/speckit-${phase}/SKILL.md`, `# ${phase}\n`]),
    ),
    ...Object.assign({}, ...phases.map((phase) => documentsOf(phase, DOCUMENTS, false))),
  };
}
