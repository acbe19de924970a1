import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import type { ProviderShape } from "./provider-shape.ts";

export const PROVIDER_SHAPES: readonly ProviderShape[] = [openai, anthropic, gemini];

/** Whose clients look below a path; undefined: nobody's. */
export function shapeOfPath(path: string): ProviderShape | undefined {
  return PROVIDER_SHAPES.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
}
