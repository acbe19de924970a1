import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  type Diagnosis,
  type DiagnosisTools,
  fine,
  notLookedAt,
  problem,
  warning,
} from "../../../ports/diagnosis.ts";

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
  { outputOf, askProvider }: DiagnosisTools,
): Promise<readonly Diagnosis[]> {
  const found = await Promise.all([
    ...(outputOf === undefined ? [] : [executable(facts, outputOf)]),
    key(facts),
    provider(facts, askProvider),
    ...(outputOf === undefined ? [] : [sandbox(facts, outputOf)]),
  ]);
  return [...found, model(facts)];
}

type OutputOf = NonNullable<DiagnosisTools["outputOf"]>;

async function executable(facts: CodexFacts, outputOf: OutputOf): Promise<Diagnosis> {
  const said = (await outputOf([facts.executable, "--version"]))?.trim();
  if (said === undefined) {
    return problem(
      "codex.executable",
      `${facts.executable} was not found, or does not tell its version`,
      `Install it (npm install -g @openai/codex@${TRIED_VERSION}), or name it in SPECKIT_CODEX_PATH.`,
    );
  }
  return said.includes(TRIED_VERSION)
    ? fine("codex.executable", said)
    : warning(
        "codex.executable",
        `${said.slice(0, 100)}, tried with ${TRIED_VERSION}`,
        `If runs fail with AGENT_SETUP_REFUSED, install @openai/codex@${TRIED_VERSION}.`,
      );
}

async function key({ hasKey }: CodexFacts): Promise<Diagnosis> {
  if (hasKey) {
    return fine("codex.key", "a key is configured; only the gateway has it");
  }
  const hasLogin = await access(join(homedir(), ".codex", "auth.json")).then(
    () => true,
    () => false,
  );
  return problem(
    "codex.key",
    hasLogin
      ? "no key; a login of Codex is there, which cannot be used: the gateway needs a key it can keep from agents"
      : "no key is configured",
  );
}

async function provider(
  { hasKey }: CodexFacts,
  askProvider: DiagnosisTools["askProvider"],
): Promise<Diagnosis> {
  if (!hasKey || askProvider === undefined) {
    const why = hasKey ? "only the gateway has the key" : "there is no key";
    return notLookedAt("codex.provider", why);
  }
  const status = await askProvider();
  switch (status) {
    case 200:
      return fine("codex.provider", "the provider answers through the gateway");
    case null:
    case 502:
    case 504:
      return problem(
        "codex.provider",
        "the provider does not answer",
        "Check SPECKIT_CODEX_BASE_URL, the network, and HTTPS_PROXY where there is one.",
      );
    case 401:
    case 403:
      return problem("codex.provider", `the provider refuses the key (${status})`);
    default:
      return warning(
        "codex.provider",
        `the provider answers with status ${status} when it is asked for its models`,
      );
  }
}

async function sandbox(
  { executable: file, unsafe }: CodexFacts,
  outputOf: OutputOf,
): Promise<Diagnosis> {
  if (unsafe) {
    return warning(
      "codex.sandbox",
      "switched off: what the agent runs can do whatever this user can",
      "Leave --unsafe and SPECKIT_UNSAFE out, unless something else holds the agent.",
    );
  }
  const works = (await outputOf([file, "sandbox", "--", "echo", "works"]))?.trim() === "works";
  if (!works) {
    return problem(
      "codex.sandbox",
      "Codex's sandbox cannot be set up here, so the agent could not run a command",
      "Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone, AppArmor), or run agents elsewhere.",
    );
  }
  const escapes = await outputOf([file, "sandbox", "--", "touch", "/var/tmp/.speckit-sandbox"]);
  return escapes === undefined
    ? fine("codex.sandbox", "commands run, and cannot write outside their folder")
    : problem(
        "codex.sandbox",
        "a command could write outside its folder",
        "Do not run agents here: Codex's sandbox does not hold.",
      );
}

function model({ defaultModel }: CodexFacts): Diagnosis {
  return fine("codex.model", defaultModel === undefined ? "Codex's own default" : defaultModel);
}
