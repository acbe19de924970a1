import type { Failure, Finding } from "../domain/failure.ts";
import type { AgentPhase } from "../domain/phase.ts";
import type { AnsweredQuestion } from "../domain/questions.ts";
import type { Diagnosis, DiagnosisTools } from "./diagnosis.ts";
import type { ModelAccess, ModelCall } from "./model-gateway.ts";

/** What an agent is asked to do, before a backend puts it into its own words. */
export interface AgentPrompt {
  readonly phase: AgentPhase;
  /**
   * Spec Kit's instructions for the phase, as the target repository has them at its base commit.
   * `skill`: an agent that knows the skills of `.agents/skills` finds them by their name. `prompt`: it
   * has to be given the text.
   */
  readonly instructions: {
    readonly kind: "skill" | "prompt";
    readonly name: string;
    /** From the repository's root. */
    readonly path: string;
    /** Without what they are wrapped in; placeholders for the arguments stand in it as they are. */
    readonly text: string;
  };
  /** The argument of the Spec Kit command: the sentence for `specify`, empty for the others. */
  readonly arguments: string;
  /** Folder of the Spec Kit project in its repository, "" for the root: the agent works in it. */
  readonly projectDirectory: string;
  /** Directory the phase works in, relative to the project. */
  readonly featureDirectory: string;
  /** What Spec Kit's own scripts must find in the environment of the agent's commands. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Names of skills that the repository has for agents that know skills, as far as a text of this
   * prompt could call one by `$name`: see `escapeSkillNames`.
   */
  readonly skillNames: readonly string[];
  /** Hooks of Spec Kit's extensions: the project has none, they are kept from the agent, or it may carry them out. */
  readonly hooks: "none" | "off" | "on";
  /** Why the last attempt was not taken; empty at the first. */
  readonly findings: readonly Finding[];
  /** What people have answered to the questions of earlier attempts, in order. */
  readonly answers: readonly AnsweredQuestion[];
  /** What people said about earlier results of this phase that they have rejected, in order. */
  readonly comments: readonly string[];
  /** Open questions will be put to people; else the agent's assumptions hold. */
  readonly mayAsk: boolean;
}

/** What a request says about the agent besides its backend. */
export interface AgentChoice {
  readonly model?: string | undefined;
  /** What they mean is the backend's business. */
  readonly options?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export interface AgentContext {
  readonly runId: string;
  readonly phase: AgentPhase;
  readonly attempt: number;
  /** Absolute path of the project's folder in the workspace, as the agent will see it: its working directory. */
  readonly workspace: string;
  /** Absolute path of the attempt's own HOME as the agent will see it. */
  readonly home: string;
  readonly choice: AgentChoice;
  /** An earlier attempt's conversation, whose files are in HOME again: go on with it. */
  readonly sessionId?: string | undefined;
  /** The way to its model, for a backend that has a credential. */
  readonly access?: Pick<ModelAccess, "baseUrl" | "token"> | undefined;
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
  /** A summary of what it thinks, where it tells one. */
  | { readonly type: "reasoning"; readonly text: string }
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

/** How an agent's process ended, with what its model calls came to. */
export interface AgentExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Last part of stderr, for matching only: never part of a message. */
  readonly stderrTail: string;
  /** As the gateway saw them, in order; empty for a backend without a credential. */
  readonly calls: readonly ModelCall[];
}

/** Reads one attempt's output. Holds whatever state it needs between lines. */
export interface AgentReader {
  /**
   * One line of stdout without its end.
   *
   * @param tail the end of a line that was over the runtime's limit and arrives cut
   */
  readonly read: (line: string, tail?: string) => readonly AgentEvent[];
  /** The failure an exit stands for, undefined when the agent says it is done. */
  readonly classify: (exit: AgentExit) => Failure | undefined;
  /** What a later attempt can go on with, for a backend that keeps sessions. */
  readonly sessionId?: () => string | undefined;
}

/** How to call a coding agent and how to read it. */
export interface AgentBackend {
  readonly name: string;
  /** One line for people: what stands behind the name. */
  readonly description: string;
  /**
   * The credential its model calls are made with. The gateway holds the key; the agent gets a
   * throw-away token. Left out: the agent brings its own, or calls no model.
   */
  readonly credential?: string;
  /**
   * Secrets its process gets in its environment, by variable, for an agent that cannot be led through
   * the gateway. They are in no command, file or report; a tree that holds one is refused.
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What holds the agent's own commands, for the environment report. */
  readonly sandbox?: string;
  /** Folders below HOME that hold a conversation, for an agent that can go on with one. */
  readonly sessionFolders?: readonly string[];
  /** Prints the agent's version and nothing else. */
  readonly versionArgv?: readonly [string, ...string[]];
  /** Why a request's choice is refused. Left out: any model and option is. */
  readonly refuse?: (choice: AgentChoice) => Failure | undefined;
  /** Why no run can be carried out with it here, asked before anything is done. */
  readonly unready?: () => Failure | undefined;
  /** Looks at what it needs on this machine. */
  readonly diagnose?: (tools: DiagnosisTools) => Promise<readonly Diagnosis[]>;
  /** The model a choice comes to, undefined: the agent's own default. */
  readonly modelOf?: (choice: AgentChoice) => string | undefined;
  readonly command: (prompt: AgentPrompt, context: AgentContext) => AgentCommand;
  /** @param workspace absolute path as the agent sees it: files are told relative to it */
  readonly reader: (workspace: string) => AgentReader;
}
