import type { AgentPhase, PipelinePhase } from "../phase.ts";

/** What a phase reads, and which phase writes it. */
const NEEDS: readonly {
  readonly phase: AgentPhase;
  readonly document: string;
  readonly writtenBy: AgentPhase;
}[] = [
  { phase: "plan", document: "spec.md", writtenBy: "specify" },
  { phase: "tasks", document: "spec.md", writtenBy: "specify" },
  { phase: "tasks", document: "plan.md", writtenBy: "plan" },
];

/** Documents that a pipeline needs, does not write, and that are not there, in its order. */
export function missingDocuments(
  pipeline: readonly PipelinePhase[],
  isThere: (document: string) => boolean,
): readonly { readonly phase: AgentPhase; readonly document: string }[] {
  return NEEDS.filter(
    ({ phase, document, writtenBy }) =>
      pipeline.includes(phase) && !pipeline.includes(writtenBy) && !isThere(document),
  ).map(({ phase, document }) => ({ phase, document }));
}
