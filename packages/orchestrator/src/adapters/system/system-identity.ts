import { createHash } from "node:crypto";
import { v7 } from "uuid";
import type { Identity } from "../../ports/identity.ts";

/** Run ids in order of time, so that rows and lists of runs sort as they were made. */
export const systemIdentity: Identity = {
  newRunId: () => v7(),
  sha256: (text) => createHash("sha256").update(text, "utf8").digest("hex"),
};
