import type { AgentBackend, AgentPhase, JobSpec } from "@speckit/orchestrator";
import { type ErrorCode, failureOf, SpeckitError } from "@speckit/orchestrator";
import type { Program } from "@speckit/orchestrator/testing";
import { documentsOf } from "./documents.ts";
import { randomFrom } from "./random.ts";

/** What an attempt's agent does. */
const CONDUCTS = [
  "works",
  "fails",
  "refuses",
  "spoils",
  "asks",
  "is_silent",
  "never_ends",
  "is_limited",
] as const;
export type Conduct = (typeof CONDUCTS)[number];

export interface AgentHabits {
  readonly seed: number;
  /** How often an agent does anything else than work, from 0 to 1. */
  readonly troubleRate: number;
  /** Longest time an agent works, in milliseconds. */
  readonly longestMs: number;
}

/** The same attempt always gets the same conduct, wherever it runs. */
export function conductOf(habits: AgentHabits, spec: JobSpec): Conduct {
  const random = randomFrom(habits.seed, "conduct", spec.runId, spec.phase, spec.attempt);
  if (!random.chance(habits.troubleRate)) {
    return "works";
  }
  const conduct = random.pick(CONDUCTS);
  return conduct === "asks" && spec.phase !== "specify" ? "works" : conduct;
}

/** What an agent reaches from where it runs. */
export interface Surroundings {
  readonly workspaceOf: (path: string) => Map<string, string> | undefined;
  /** The model's provider has asked to wait. */
  readonly coolDown: (forMs: number) => void;
}

/** The program of an attempt's agent. It writes its documents at the very end of its work. */
export function programOf(
  habits: AgentHabits,
  spec: JobSpec,
  { workspaceOf, coolDown }: Surroundings,
): Program {
  const conduct = conductOf(habits, spec);
  const random = randomFrom(habits.seed, "pace", spec.runId, spec.phase, spec.attempt);
  const workMs = random.chance(0.6)
    ? random.between(20, 3_000)
    : random.between(20, habits.longestMs);
  const said = { afterMs: Math.floor(workMs / 2), stdout: `working on ${spec.phase}\n` };
  const directory = spec.env.SPECIFY_FEATURE_DIRECTORY ?? "";
  const write = (question?: string) => (): void => {
    const files = workspaceOf(spec.workspace);
    const documents = documentsOf(
      spec.phase as AgentPhase,
      directory,
      question === undefined ? {} : { question },
    );
    for (const [path, text] of Object.entries(documents)) {
      files?.set(path, text);
    }
  };
  const done = (act: () => void, ends: number): Program => ({
    steps: [said, { afterMs: Math.ceil(workMs / 2), act }],
    ends,
  });
  switch (conduct) {
    case "works":
      return done(write(), 0);
    case "asks":
      return done(write(`Which one, ${spec.attempt}?`), 0);
    case "spoils":
      return done(() => {}, 0);
    case "fails":
      return done(write(), 1);
    case "refuses":
      return done(() => {}, 2);
    case "is_limited":
      return done(() => coolDown(limitMs(habits, spec)), 3);
    case "is_silent":
      return { steps: [said], ends: "never" };
    case "never_ends":
      return {
        steps: Array.from({ length: 8 }, () => ({ afterMs: 150_000, stdout: "still\n" })),
        ends: "never",
        isStubborn: true,
      };
  }
}

/** How long the provider asks to wait: mostly for moments, now and then for longer than a run may. */
function limitMs(habits: AgentHabits, spec: JobSpec): number {
  const random = randomFrom(habits.seed, "limit", spec.runId, spec.phase, spec.attempt);
  return random.chance(0.05) ? 90_000_000 : random.between(1_000, 90_000);
}

const CODES: Readonly<Record<number, ErrorCode>> = { 2: "AGENT_NOT_STARTED", 3: "RATE_LIMITED" };

/** Whose limits those are. */
export const CREDENTIAL = "simulated key";

/** Calls those programs, and reads them. */
export const simulatedBackend: AgentBackend = {
  name: "simulated",
  credential: CREDENTIAL,
  description: "programs that are data",
  command: (prompt) => ({
    argv: ["agent"],
    env: { SPECIFY_FEATURE_DIRECTORY: prompt.featureDirectory },
    stdin: prompt.phase,
    files: [],
  }),
  reader: () => ({
    read: (line) => [{ type: "message", text: line }],
    classify: ({ exitCode }) => {
      if (exitCode === 0) {
        return undefined;
      }
      const code = CODES[exitCode ?? 1] ?? "AGENT_FAILED";
      return failureOf(new SpeckitError(code, `The agent ended with ${exitCode ?? "a signal"}`));
    },
  }),
};
