import type { Hold } from "@speckit/orchestrator";

/** The holds a statement names: one for most writes, many for a renewal, none for what needs no owner. */
export function holdsOf(name: string, args: readonly unknown[]): readonly Hold[] {
  const [first] = args;
  if (name === "renewLeases") {
    return first as readonly Hold[];
  }
  return typeof first === "object" && first !== null && "epoch" in first && "runId" in first
    ? [first as Hold]
    : [];
}
