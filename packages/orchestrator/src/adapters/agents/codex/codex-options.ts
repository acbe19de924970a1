import { type Failure, failure } from "../../../domain/failure.ts";
import type { AgentChoice } from "../../../ports/agent-backend.ts";

/** What a request may say about how Codex works, and what it is called in Codex's configuration. */
const OPTIONS = {
  reasoningEffort: {
    key: "model_reasoning_effort",
    values: ["minimal", "low", "medium", "high", "xhigh"],
  },
  reasoningSummary: {
    key: "model_reasoning_summary",
    values: ["auto", "concise", "detailed", "none"],
  },
  verbosity: { key: "model_verbosity", values: ["low", "medium", "high"] },
} as const satisfies Record<string, { readonly key: string; readonly values: readonly string[] }>;

export const CODEX_OPTION_NAMES = Object.keys(OPTIONS) as readonly (keyof typeof OPTIONS)[];

/** Shape of a model's name; what a deployment allows is a list of its own. */
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;

/** A request's choice, in Codex's words. */
export interface CodexChoice {
  readonly model: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/** What a deployment allows. */
export interface CodexAllowance {
  /** Models a request may name; undefined: any. The default model is always allowed. */
  readonly models: readonly string[] | undefined;
  /** For requests that name none; undefined: Codex's own default. */
  readonly defaultModel: string | undefined;
  readonly options: readonly string[];
}

/** @returns why a request's choice is refused, undefined if it is fine */
export function refusedChoice(choice: AgentChoice, allowed: CodexAllowance): Failure | undefined {
  const { model, options = {} } = choice;
  if (model !== undefined && (!MODEL.test(model) || !isAllowed(model, allowed))) {
    const expected =
      allowed.models === undefined
        ? "a model's name of letters, digits and ._:/-"
        : `one of ${[...new Set([allowed.defaultModel ?? [], allowed.models].flat())].join(", ")}`;
    return failure("MODEL_NOT_ALLOWED", `agent.model: expected ${expected}, got ${quote(model)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    const values = name in OPTIONS ? OPTIONS[name as keyof typeof OPTIONS].values : undefined;
    if (values === undefined || !allowed.options.includes(name)) {
      return failure(
        "AGENT_OPTION_REFUSED",
        `agent.options: expected ${allowed.options.length === 0 ? "none" : `only ${allowed.options.join(", ")}`}, got ${quote(name)}`,
      );
    }
    if (!(values as readonly unknown[]).includes(value)) {
      return failure(
        "AGENT_OPTION_REFUSED",
        `agent.options.${name}: expected ${values.join(", ")}, got ${quote(value)}`,
      );
    }
  }
  return undefined;
}

export function codexChoice(
  { model, options = {} }: AgentChoice,
  { defaultModel }: CodexAllowance,
): CodexChoice {
  const chosen = model ?? defaultModel;
  return {
    model: chosen,
    settings: Object.fromEntries([
      ...(chosen === undefined ? [] : [["model", chosen]]),
      ...Object.entries(options).map(([name, value]) => [
        OPTIONS[name as keyof typeof OPTIONS].key,
        String(value),
      ]),
    ]),
  };
}

function isAllowed(model: string, { models, defaultModel }: CodexAllowance): boolean {
  return models === undefined || model === defaultModel || models.includes(model);
}

function quote(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? String(value);
}
