import type { Orchestrator } from "@speckit/orchestrator";
import type { z } from "zod";

/** Something that can be read: what its address takes and what it answers. The documentation is made from it. */
export interface Resource {
  /** `{runId}` stands for a run's id. */
  readonly path: `/v1/${string}`;
  /** For code generators. */
  readonly operationId: string;
  readonly summary: string;
  /** Unknown parameters are refused by name. */
  readonly query: z.ZodObject;
  /** Named in the document. */
  readonly answer: { readonly name: string; readonly schema: z.ZodObject };
  /** @throws SpeckitError what the answer is instead */
  readonly read: (
    orchestrator: Orchestrator,
    asked: { readonly runId: string; readonly query: never },
  ) => Promise<unknown>;
}

/** Checks that what is read and what is promised have the same shape. */
export function resource<Query extends z.ZodObject, Answer extends z.ZodObject>(
  made: Omit<Resource, "query" | "answer" | "read"> & {
    readonly query: Query;
    readonly answer: { readonly name: string; readonly schema: Answer };
    readonly read: (
      orchestrator: Orchestrator,
      asked: { readonly runId: string; readonly query: z.infer<Query> },
    ) => Promise<z.infer<Answer>>;
  },
): Resource {
  return made;
}
