/** Whose way of being called the gateway knows. */
export const MODEL_PROVIDERS = ["openai", "anthropic", "gemini"] as const;

export type ModelProvider = (typeof MODEL_PROVIDERS)[number];
