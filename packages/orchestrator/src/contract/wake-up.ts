import { z } from "zod";

/** "Look at run X": no state, no right. Everything is decided from the run's row. */
export const wakeUpSchema = z.strictObject({
  v: z.literal(1),
  runId: z.uuid().toLowerCase(),
  /**
   * The owner of this epoch may be dead: its delivery came back from the broker. Kept in the body,
   * since the broker's own mark does not survive a retry queue.
   */
  suspectEpoch: z.int().min(1).optional(),
  /**
   * It was sent to the workers of the engine that has the run's container. Back from there, because
   * none had the time, it is not sent again: their being busy does not make the engine lost.
   */
  sticky: z.literal(true).optional(),
});
export type WakeUp = z.infer<typeof wakeUpSchema>;

export function wakeUp(runId: string): WakeUp {
  return { v: 1, runId };
}
