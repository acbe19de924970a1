import { inlineCode, inlineText } from "./markdown-text.ts";
import type { PhaseFacts, PullRequestFacts, UsageFacts } from "./pull-request-facts.ts";

/** Who made it, what it took: agent, model, tokens, cost and the time of each phase. */
export function madeBy({
  agent,
  usage,
  phases,
}: Pick<PullRequestFacts, "agent" | "usage" | "phases">): string {
  const model = agent.model === null ? "its default model" : `model ${inlineCode(agent.model)}`;
  const times = phases.filter(({ attempt }) => attempt > 0).map(timeOf);
  return [
    `- Agent: ${inlineCode(agent.backend)}, ${model}`,
    `- Tokens: ${tokens(usage)}; cost: ${cost(usage?.costUsd ?? null)}`,
    ...(times.length === 0 ? [] : [`- Time: ${times.join(" · ")}`]),
  ].join("\n");
}

function tokens(usage: UsageFacts | null): string {
  if (usage === null) {
    return "unknown";
  }
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  return `${figure(inputTokens)} in (${figure(cachedInputTokens)} of them cached), ${figure(outputTokens)} out`;
}

function cost(usd: number | null): string {
  if (usd === null) {
    return "unknown";
  }
  return usd > 0 && usd < 0.01 ? "less than 0.01 USD" : `${usd.toFixed(2)} USD`;
}

function timeOf({ name, status, durationMs, attempt }: PhaseFacts): string {
  const time = durationMs === null ? "time unknown" : duration(durationMs);
  const starts = attempt === 1 ? "" : ` (start ${attempt})`;
  const ending = status === "succeeded" ? "" : ` (${inlineText(status)})`;
  return `${inlineText(name)} ${time}${starts}${ending}`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) {
    return ms < 1_000 ? "under 1 s" : `${seconds} s`;
  }
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function figure(value: number): string {
  return value.toLocaleString("en-US");
}
