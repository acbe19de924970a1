import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Diagnosis, DiagnosisTools } from "../../../ports/diagnosis.ts";

/** The version every argument, key and sentence here was tried with. */
export const TRIED_VERSION = "0.169.0";

export interface CodexFacts {
  readonly executable: string;
  readonly hasKey: boolean;
  readonly defaultModel: string | undefined;
  readonly unsafe: boolean;
}

/** Looks at everything a run with Codex needs on this machine. */
export async function diagnoseCodex(
  facts: CodexFacts,
  tools: DiagnosisTools,
): Promise<readonly Diagnosis[]> {
  const found = await Promise.all([
    executable(facts, tools),
    key(facts),
    provider(facts, tools),
    sandbox(facts, tools),
  ]);
  return [...found, model(facts)];
}

async function executable(facts: CodexFacts, { outputOf }: DiagnosisTools): Promise<Diagnosis> {
  const check = "codex.executable";
  const said = (await outputOf([facts.executable, "--version"]))?.trim();
  if (said === undefined) {
    return {
      check,
      state: "problem",
      found: `${facts.executable} was not found, or does not tell its version`,
      remedy: `Install it (npm install -g @openai/codex@${TRIED_VERSION}), or name it in SPECKIT_CODEX_PATH.`,
    };
  }
  return said.includes(TRIED_VERSION)
    ? { check, state: "ok", found: said }
    : {
        check,
        state: "warning",
        found: `${said.slice(0, 100)}, tried with ${TRIED_VERSION}`,
        remedy: `If runs fail with AGENT_SETUP_REFUSED, install @openai/codex@${TRIED_VERSION}.`,
      };
}

async function key({ hasKey }: CodexFacts): Promise<Diagnosis> {
  const check = "codex.key";
  if (hasKey) {
    return { check, state: "ok", found: "a key is configured; only the gateway has it" };
  }
  const hasLogin = await access(join(homedir(), ".codex", "auth.json")).then(
    () => true,
    () => false,
  );
  return {
    check,
    state: "problem",
    found: hasLogin
      ? "no key; a login of Codex is there, which cannot be used: the gateway needs a key it can keep from agents"
      : "no key is configured",
    remedy: "Set CODEX_API_KEY or OPENAI_API_KEY (or the same with _FILE).",
  };
}

async function provider({ hasKey }: CodexFacts, tools: DiagnosisTools): Promise<Diagnosis> {
  const check = "codex.provider";
  if (!hasKey) {
    return { check, state: "warning", found: "not asked, since there is no key" };
  }
  const status = await tools.askProvider();
  switch (status) {
    case 200:
      return { check, state: "ok", found: "the provider answers through the gateway" };
    case null:
    case 502:
    case 504:
      return {
        check,
        state: "problem",
        found: "the provider does not answer",
        remedy: "Check SPECKIT_CODEX_BASE_URL, the network, and HTTPS_PROXY where there is one.",
      };
    case 401:
    case 403:
      return {
        check,
        state: "problem",
        found: `the provider refuses the key (${status})`,
        remedy: "Check that the key is valid and may use the model.",
      };
    default:
      return {
        check,
        state: "warning",
        found: `the provider answers with status ${status} when it is asked for its models`,
      };
  }
}

async function sandbox(
  { executable: file, unsafe }: CodexFacts,
  { outputOf }: DiagnosisTools,
): Promise<Diagnosis> {
  const check = "codex.sandbox";
  if (unsafe) {
    return {
      check,
      state: "warning",
      found: "switched off: what the agent runs can do whatever this user can",
      remedy: "Leave --unsafe and SPECKIT_UNSAFE out, unless something else holds the agent.",
    };
  }
  const works = (await outputOf([file, "sandbox", "--", "echo", "works"]))?.trim() === "works";
  if (!works) {
    return {
      check,
      state: "problem",
      found: "Codex's sandbox cannot be set up here, so the agent could not run a command",
      remedy:
        "Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone, AppArmor), or run agents elsewhere.",
    };
  }
  const escapes = await outputOf([file, "sandbox", "--", "touch", "/var/tmp/.speckit-sandbox"]);
  return escapes === undefined
    ? { check, state: "ok", found: "commands run, and cannot write outside their folder" }
    : {
        check,
        state: "problem",
        found: "a command could write outside its folder",
        remedy: "Do not run agents here: Codex's sandbox does not hold.",
      };
}

function model({ defaultModel }: CodexFacts): Diagnosis {
  return {
    check: "codex.model",
    state: "ok",
    found: defaultModel === undefined ? "Codex's own default" : defaultModel,
  };
}
