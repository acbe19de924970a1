import type { Failure, Finding } from "../domain/failure.ts";
import type { AgentPhase } from "../domain/phase.ts";
import type { AnsweredQuestion } from "../domain/questions.ts";

/** What an agent is asked to do, before a backend puts it into its own words. */
export interface AgentPrompt {
  readonly phase: AgentPhase;
  /** Spec Kit's instructions for the phase, as they stand in the target repository. */
  readonly skill: { readonly name: string; readonly path: string; readonly text: string };
  /** The argument of the Spec Kit command: the sentence for `specify`, empty for the others. */
  readonly arguments: string;
  /** Directory the phase works in, relative to the workspace's root. */
  readonly featureDirectory: string;
  /** Why the last attempt was not taken; empty at the first. */
  readonly findings: readonly Finding[];
  /** What people have answered to the questions of earlier attempts, in order. */
  readonly answers: readonly AnsweredQuestion[];
  /** What people said about earlier results of this phase that they have rejected, in order. */
  readonly comments: readonly string[];
  /** Open questions will be put to people; else the agent's assumptions hold. */
  readonly mayAsk: boolean;
}

export interface AgentContext {
  readonly runId: string;
  readonly phase: AgentPhase;
  readonly attempt: number;
  /** Absolute path of the workspace as the agent will see it: its working directory. */
  readonly workspace: string;
  /** Absolute path of the attempt's own HOME as the agent will see it. */
  readonly home: string;
}

/** How to call the agent. The runtime starts it; a backend starts nothing. */
export interface AgentCommand {
  readonly argv: readonly [string, ...string[]];
  /** Added to the runtime's small base environment (PATH, HOME, LANG, TMPDIR). */
  readonly env: Readonly<Record<string, string>>;
  /** The prompt as sent; kept as the artifact `prompt.md`. */
  readonly stdin: string;
  /** Written before the start; paths relative to HOME. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
}

/** Something an agent did, as far as its output tells. */
export type AgentEvent =
  | { readonly type: "message"; readonly text: string }
  | {
      readonly type: "tool";
      readonly name: string;
      readonly detail: string;
      readonly exitCode?: number;
    }
  | { readonly type: "file"; readonly path: string; readonly change: string }
  | {
      readonly type: "usage";
      readonly inputTokens: number;
      readonly cachedInputTokens: number;
      readonly outputTokens: number;
      /** null: not known. */
      readonly costUsd: number | null;
    }
  | { readonly type: "warning"; readonly text: string };

/** Reads one attempt's output. Holds whatever state it needs between lines. */
export interface AgentReader {
  /** One line of stdout without its end; lines over the runtime's limit arrive cut. */
  readonly read: (line: string) => readonly AgentEvent[];
  /** The failure an exit stands for, undefined when the agent says it is done. */
  readonly classify: (exit: {
    readonly exitCode: number | null;
    readonly signal: string | null;
    /** Last part of stderr, for matching only: never part of a message. */
    readonly stderrTail: string;
  }) => Failure | undefined;
}

/** How to call a coding agent and how to read it. */
export interface AgentBackend {
  readonly name: string;
  /** One line for people: what stands behind the name. */
  readonly description: string;
  readonly command: (prompt: AgentPrompt, context: AgentContext) => AgentCommand;
  readonly reader: () => AgentReader;
}
