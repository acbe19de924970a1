import type { ErrorCodeFacts } from "./error-code-facts.ts";

/** Of agents, their models and their work. */
export const AGENT_CODES = {
  AGENT_UNKNOWN: {
    class: "bad_message",
    meaning: "The request names an agent backend this deployment does not have.",
    remedy: "Use one of the configured backends.",
  },
  AGENT_NOT_STARTED: {
    class: "permanent",
    meaning: "The agent's executable could not be started.",
    remedy: "Install it, or correct the path in the backend's configuration.",
  },
  AGENT_FAILED: {
    class: "transient",
    meaning: "The agent exited with a code other than 0.",
    remedy: "It is retried; read the phase's stderr artifact for the agent's own words.",
  },
  AGENT_KILLED: {
    class: "transient",
    meaning: "The agent was ended by a signal that speckit did not send.",
    remedy: "It is retried; check the memory of the machine.",
  },
  RATE_LIMITED: {
    class: "rate_limited",
    meaning: "The model provider limits how fast its key may be used.",
    remedy:
      "Nothing to do: the run goes on when the limit ends. For more, raise it at the provider or run fewer slots.",
  },
  QUOTA_EXHAUSTED: {
    class: "quota",
    meaning: "The key's quota or credit at the model provider is used up.",
    remedy: "Add credit or raise the quota at the provider; the run looks again by itself.",
  },
  QUOTA_WAIT_TOO_LONG: {
    class: "permanent",
    meaning:
      "The model provider's limits would keep a run waiting for more than 24 hours, all told, or have ended 20 starts of a phase.",
    remedy: "Raise the limit or the quota at the provider, then `speckit retry` the run.",
  },
  MODEL_CREDENTIALS_REFUSED: {
    class: "permanent",
    meaning: "The model provider refused the configured key.",
    remedy:
      "Check the key (CODEX_API_KEY or OPENAI_API_KEY), and its organisation and project at the provider.",
  },
  MODEL_NOT_FOUND: {
    class: "permanent",
    meaning: "The model provider does not have the model, or the key may not use it.",
    remedy: "Name a model the key may use.",
  },
  MODEL_REQUEST_REFUSED: {
    class: "permanent",
    meaning: "The model provider refused a call as wrong, and would refuse it again.",
    remedy:
      "Check model and options of the request; the provider's own code is in the message, its words in the phase's events.",
  },
  MODEL_UNAVAILABLE: {
    class: "transient",
    meaning: "The model provider could not be reached, broke off, or answered with a server error.",
    remedy: "It is retried; check the provider's status page, proxy and certificate settings.",
  },
  MODEL_HUNG: {
    class: "transient",
    meaning: "The model provider took a call and then sent nothing.",
    remedy: "It is retried; check the network between worker and provider if it persists.",
  },
  CONTEXT_TOO_LONG: {
    class: "permanent",
    meaning: "What the agent has gathered no longer fits into the model's context window.",
    remedy: "Ask for less in one run, or name a model with a larger context window.",
  },
  TOKEN_LIMIT_REACHED: {
    class: "permanent",
    meaning: "The run has used as many tokens as its limit allows.",
    remedy: "Raise limits.maxTokens, or ask for less in one run; what was made so far is kept.",
  },
  COST_LIMIT_REACHED: {
    class: "permanent",
    meaning: "The run has cost as much as its limit allows.",
    remedy: "Raise limits.maxUsd, or ask for less in one run; what was made so far is kept.",
  },
  PRICE_UNKNOWN: {
    class: "permanent",
    meaning: "The run has a limit in USD, and the price of its model is not configured.",
    remedy: "Configure the model's price, or limit the run by limits.maxTokens.",
  },
  MODEL_NOT_ALLOWED: {
    class: "bad_message",
    meaning: "The request names a model that this deployment does not allow.",
    remedy: "Name one of the allowed models, or leave the model out.",
  },
  AGENT_SETUP_REFUSED: {
    class: "permanent",
    meaning: "The agent refused its command line or configuration before it called a model.",
    remedy:
      "Check the agent's version: the phase's environment.json has it, its stderr.log the agent's own words.",
  },
  AGENT_OPTION_REFUSED: {
    class: "bad_message",
    meaning: "`agent.options` names an option or a value that this deployment does not allow.",
    remedy: "Use an allowed option and one of its values, or leave it out.",
  },
  MODEL_CREDENTIALS_MISSING: {
    class: "permanent",
    meaning: "No key is configured for the model's provider.",
    remedy: "Set CODEX_API_KEY or OPENAI_API_KEY (or the same with _FILE).",
  },
  AGENT_SILENT: {
    class: "timeout",
    meaning: "The agent printed nothing for longer than the silence limit.",
    remedy: "Raise SPECKIT_SILENCE_MS if the agent is slow rather than stuck.",
  },
  POSTCONDITION_FAILED: {
    class: "invalid_output",
    meaning: "The agent exited with 0, but its files do not fulfil the phase's postconditions.",
    remedy: "It is retried with the findings in the prompt; the findings name file and check.",
  },
  WORKSPACE_TOO_LARGE: {
    class: "permanent",
    meaning: "The agent's changes, the workspace or the checkpoint are over their limit.",
    remedy: "Keep generated files out of the tree (.gitignore), or raise the limit.",
  },
  SECRET_IN_TREE: {
    class: "invalid_output",
    meaning: "The agent has written a secret of its environment into a file of the tree.",
    remedy:
      "It is tried again with the finding; nothing of the tree is kept or pushed. An agent that goes on doing so must not have the secret.",
  },
  WORKSPACE_REFUSED: {
    class: "invalid_output",
    meaning: "The agent left something in the tree that is never committed.",
    remedy:
      "The findings name each path: only regular files and symlinks inside the tree are taken.",
  },
  AGENT_OUT_OF_MEMORY: {
    class: "transient",
    meaning: "The agent's container used up its memory.",
    remedy: "Give jobs more memory, or ask for less at once.",
  },
  AGENT_OUTPUT_TOO_LARGE: {
    class: "transient",
    meaning: "The agent printed more than a job may.",
    remedy: "See stdout.log for what it repeats.",
  },
} as const satisfies Record<string, ErrorCodeFacts>;
