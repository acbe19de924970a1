import { z } from "zod";

/** How much one page holds. */
export const pageLimit = z.coerce
  .number({ error: "expected a whole number" })
  .int({ error: "expected a whole number" })
  .min(1, { error: "expected at least 1" })
  .max(200, { error: "expected at most 200" })
  .default(50)
  .meta({ description: "at most so many" });
