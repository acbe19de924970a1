import { z } from "zod";

/** "Look at run X": no state, no right. Everything is decided from the run's row. */
export const wakeUpSchema = z.strictObject({ v: z.literal(1), runId: z.uuid().toLowerCase() });
export type WakeUp = z.infer<typeof wakeUpSchema>;

export function wakeUp(runId: string): WakeUp {
  return { v: 1, runId };
}
