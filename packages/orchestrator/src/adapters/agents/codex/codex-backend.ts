import type { Failure } from "../../../domain/failure.ts";
import type { AgentBackend, AgentReader } from "../../../ports/agent-backend.ts";
import { classifyCodexExit } from "./classify-codex-exit.ts";
import { codexConfig, TOKEN_VARIABLE } from "./codex-config.ts";
import { type CodexAllowance, codexChoice, refusedChoice } from "./codex-options.ts";
import { codexPrompt } from "./codex-prompt.ts";
import { diagnoseCodex } from "./diagnose-codex.ts";
import { readCodexLine, readCutCodexLine } from "./read-codex-event.ts";

export interface CodexBackendOptions {
  /** The executable, by path or looked up in PATH. Default `codex`. */
  readonly executable?: string;
  /** Name of the credential at the gateway. Default `codex`. */
  readonly credential?: string;
  readonly allowance: CodexAllowance;
  /** Why no model can be called here: what a run is refused with before anything is done. */
  readonly unready?: Failure | undefined;
  /**
   * No sandbox of Codex's own around tool commands. Only where something else holds them: inside a
   * job container, or where an operator takes the blame. Default false.
   */
  readonly unsafe?: boolean;
  /** Its containers hold it: the same, and nothing to warn of. Default false. */
  readonly isIsolated?: boolean;
}

const CODEX_HOME = ".codex";

/**
 * OpenAI's Codex CLI, headless: `codex exec`, one turn per attempt, JSON lines on stdout. It talks
 * to the gateway alone, with the attempt's throw-away token; its tool commands see the core
 * environment, have no network, and write only in the workspace and TMPDIR.
 *
 * Spec Kit's skill is called by name; Codex itself puts its text before the model.
 */
export function codexBackend(options: CodexBackendOptions): AgentBackend {
  const {
    executable = "codex",
    credential = "codex",
    allowance,
    unready,
    unsafe = false,
    isIsolated = false,
  } = options;
  return {
    name: "codex",
    description: "OpenAI Codex CLI",
    credential,
    versionArgv: [executable, "--version"],
    sessionFolders: [`${CODEX_HOME}/sessions`],
    sandbox: isIsolated
      ? "none of its own: its container"
      : unsafe
        ? "none"
        : "workspace-write, by Codex",
    refuse: (choice) => refusedChoice(choice, allowance),
    unready: () => unready,
    diagnose: (tools) =>
      diagnoseCodex(
        {
          executable,
          hasKey: unready === undefined,
          defaultModel: allowance.defaultModel,
          unsafe,
        },
        tools,
      ),
    modelOf: (choice) => codexChoice(choice, allowance).model,
    command: (prompt, context) => {
      const { access, choice, workspace, home, sessionId } = context;
      const { model, settings } = codexChoice(choice, allowance);
      const toolEnv = {
        ...prompt.environment,
        SPECKIT_PHASE: context.phase,
        SPECKIT_RUN_ID: context.runId,
        SPECKIT_ATTEMPT: String(context.attempt),
      };
      return {
        argv: [
          executable,
          "exec",
          "--json",
          "--color",
          "never",
          "--strict-config",
          // The workspace's .git is a throw-away copy; nobody has trusted it.
          "--skip-git-repo-check",
          ...(unsafe || isIsolated
            ? ["--dangerously-bypass-approvals-and-sandbox"]
            : ["--sandbox", "workspace-write"]),
          "--cd",
          workspace,
          ...(sessionId === undefined ? [] : ["resume", sessionId]),
          "-",
        ],
        env: {
          CODEX_HOME: `${home}/${CODEX_HOME}`,
          ...(access === undefined ? {} : { [TOKEN_VARIABLE]: access.token }),
          ...toolEnv,
        },
        stdin: codexPrompt(prompt),
        files: [
          {
            path: `${CODEX_HOME}/config.toml`,
            content: codexConfig({
              baseUrl: access?.baseUrl ?? "",
              choice: { model, settings },
              toolEnv,
            }),
          },
        ],
      };
    },
    reader: codexReader,
  };
}

function codexReader(workspace: string): AgentReader {
  let threadId: string | undefined;
  let completed = false;
  let failedWith: string | undefined;
  return {
    read(line, tail) {
      const said =
        tail === undefined ? readCodexLine(line, workspace) : readCutCodexLine(line, tail);
      switch (said.kind) {
        case "thread":
          threadId = said.threadId;
          return [];
        case "turn_failed":
          failedWith = said.message;
          return [];
        case "turn_completed":
          completed = true;
          return said.events;
        default:
          return said.events;
      }
    },
    sessionId: () => threadId,
    classify: (exit) =>
      classifyCodexExit(exit, { completed, failedWith, begun: threadId !== undefined }),
  };
}
