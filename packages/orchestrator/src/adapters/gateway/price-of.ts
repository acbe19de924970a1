import type { ModelUsage } from "../../ports/model-gateway.ts";

/** What a model costs, in USD for a million tokens. */
export interface ModelPrice {
  /** For input tokens that were not in the provider's cache. */
  readonly inputUsdPerMTok: number;
  readonly cachedInputUsdPerMTok: number;
  /** Reasoning is output. */
  readonly outputUsdPerMTok: number;
  /** The day the price was looked up, for example `2026-11-01`. */
  readonly asOf: string;
}

/** By the model's exact name. A model that is not here has an unknown price, never none. */
export type ModelPrices = Readonly<Record<string, ModelPrice>>;

export function priceOf(prices: ModelPrices, model: string | null): ModelPrice | undefined {
  return model !== null && Object.hasOwn(prices, model) ? prices[model] : undefined;
}

/** @returns null when price or usage is not known */
export function costOf(price: ModelPrice | undefined, usage: ModelUsage | null): number | null {
  if (price === undefined || usage === null) {
    return null;
  }
  const fresh = Math.max(0, usage.inputTokens - usage.cachedInputTokens);
  return (
    (fresh * price.inputUsdPerMTok +
      usage.cachedInputTokens * price.cachedInputUsdPerMTok +
      usage.outputTokens * price.outputUsdPerMTok) /
    1_000_000
  );
}
